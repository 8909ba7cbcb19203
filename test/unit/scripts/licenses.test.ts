import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyLicenses } from '../../../scripts/licenses.ts';

const ROOT = join(import.meta.dirname, '../../..');

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'hft-licenses-'));
});
afterEach(() => rmSync(place, { recursive: true }));

/** The licences of a tree of packages, whose files have their own paths as text. */
function licensesOf(packages: Readonly<Record<string, object>>, files: readonly string[]): Record<string, string> {
  const [root, folder] = [join(place, 'root'), join(place, 'package')];
  const all: Record<string, string> = { 'package-lock.json': JSON.stringify({ packages: { '': {}, ...packages } }) };
  for (const file of files) all[file] = file;
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  copyLicenses(root, folder);
  if (!existsSync(folder)) return {};
  const copied = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    copied.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(folder.length + 1), readFileSync(path, 'utf8')];
    }),
  );
}

describe('copyLicenses', () => {
  test.each([
    'LICENSE',
    'LICENCE',
    'license.md',
    'License-MIT.txt',
    'COPYING',
    'COPYING.LESSER',
    'NOTICE',
    'notice.txt',
  ])('takes %s, under the name of its package', (name) => {
    const from = `node_modules/a/${name}`;
    const files = [from, 'node_modules/a/index.js', 'node_modules/a/README.md'];
    expect(licensesOf({ 'node_modules/a': {} }, files)).toEqual({ [`licenses/a/${name}`]: from });
  });

  test('a scope is a part of the name, and a package inside of another one has its own', () => {
    const inner = 'node_modules/@scope/a/node_modules/@other/b';
    const files = ['node_modules/@scope/a/LICENSE', `${inner}/LICENSE`];
    expect(licensesOf({ 'node_modules/@scope/a': {}, [inner]: {} }, files)).toEqual({
      'licenses/@scope/a/LICENSE': files[0],
      'licenses/@other/b/LICENSE': files[1],
    });
  });

  test('a folder of licences goes along whole', () => {
    const files = ['node_modules/a/LICENSES/MIT.txt', 'node_modules/a/LICENSES/deep/MPL-2.0.txt'];
    expect(licensesOf({ 'node_modules/a': {} }, files)).toEqual({
      'licenses/a/LICENSES/MIT.txt': files[0],
      'licenses/a/LICENSES/deep/MPL-2.0.txt': files[1],
    });
  });

  test('not those of what is not bundled: our own, tools, other platforms, what was not installed', () => {
    const packages = {
      'node_modules/tool': { dev: true },
      'node_modules/platform': { optional: true },
      'node_modules/absent': {},
    };
    expect(licensesOf(packages, ['LICENSE', 'node_modules/tool/LICENSE', 'node_modules/platform/LICENSE'])).toEqual({});
  });

  test('a package that has none is no error', () => {
    expect(licensesOf({ 'node_modules/a': {} }, ['node_modules/a/index.js'])).toEqual({});
  });
});

test('every package that hft is built with has its licence in the packages of hft', () => {
  copyLicenses(ROOT, place);
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const without = Object.keys(dependencies).filter((name) => !existsSync(join(place, 'licenses', name)));
  expect(without).toEqual([]);
  // Apache-2.0 asks for a NOTICE too, and MPL-2.0 (libzmq) for its text.
  expect(readdirSync(join(place, 'licenses/zeromq')).length).toBeGreaterThan(0);
});
