import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildWhenStale } from './run-hft.ts';

const root = join(import.meta.dirname, '../..');
const machine = join(root, 'test/machines/two-socket');
const installed = mkdtempSync(join(tmpdir(), 'hft-prepared-'));

beforeAll(buildWhenStale);
afterAll(() => rmSync(installed, { recursive: true }));

test('a built hft plans with a shipped profile without YAML and schemas, and to the same', () => {
  for (const name of ['bin', 'dist', 'profiles', 'package.json', 'oclif.manifest.json']) {
    cpSync(join(root, name), join(installed, name), { recursive: true });
  }
  const plan = (run: string, profile: string) =>
    spawnSync(process.execPath, [run, 'plan', '--json', '--profile', profile, '--snapshot', machine], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
  // The sources as they are parse and check every profile.
  const expected = JSON.parse(plan(join(root, 'bin/dev.ts'), 'colo').stdout);
  rmSync(join(installed, 'dist/yaml.cjs'));
  rmSync(join(installed, 'dist/zod.cjs'));
  const { stdout, stderr } = plan(join(installed, 'bin/run.cjs'), 'colo');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual(expected);

  execFileSync('sed', ['-i', 's/cores: most/cores: moste/', join(installed, 'profiles/colo.yaml')]);
  expect(plan(join(installed, 'bin/run.cjs'), 'colo').status).toBe(70);
});
