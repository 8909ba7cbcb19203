import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import { configFileKind } from '../../../src/tunables/config-file.ts';
import type { ConfigFileTunable } from '../../../src/tunables/tunable.ts';

const host = new LocalHost();
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hft-config-file-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** As the engine does it: what has to be remembered goes into the journal with the intent, before the write. */
async function put(path: string): Promise<ConfigFileTunable> {
  const tunable = await configFileKind.remember?.(host, { kind: 'config-file', path, mode: 0o644 });
  if (tunable === undefined) throw new Error('the kind remembers nothing');
  await configFileKind.write(host, [{ tunable, value: 'a = 1\n' }]);
  return tunable;
}

test('the folders that were made for the file go with it', async () => {
  const tunable = await put(join(root, 'systemd/system.conf.d/90-hft.conf'));
  expect(tunable.makesFolders).toEqual([join(root, 'systemd'), join(root, 'systemd/system.conf.d')]);
  await configFileKind.write(host, [{ tunable, value: null }]);
  expect(existsSync(join(root, 'systemd'))).toBe(false);
});

test('a folder that was there stays, also an empty one', async () => {
  mkdirSync(join(root, 'rules.d'));
  const tunable = await put(join(root, 'rules.d/90-hft.rules'));
  await configFileKind.write(host, [{ tunable, value: null }]);
  expect(existsSync(join(root, 'rules.d/90-hft.rules'))).toBe(false);
  expect(existsSync(join(root, 'rules.d'))).toBe(true);
});

test('a folder that hft made stays while it holds what somebody else put there', async () => {
  const tunable = await put(join(root, 'limits.d/90-hft.conf'));
  writeFileSync(join(root, 'limits.d/admin.conf'), '');
  await configFileKind.write(host, [{ tunable, value: null }]);
  expect(existsSync(join(root, 'limits.d/admin.conf'))).toBe(true);
});

test('the second write of a file remembers nothing: its folder is there', async () => {
  const path = join(root, 'limits.d/90-hft.conf');
  await put(path);
  expect((await put(path)).makesFolders).toBeUndefined();
});
