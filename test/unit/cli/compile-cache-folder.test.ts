import { expect, test } from 'vitest';
import { compileCacheFolder } from '../../../src/cli/compile-cache-folder.ts';

test.each([
  ['root, whatever HOME sudo kept', { HOME: '/home/eve', XDG_CACHE_HOME: '/tmp' }, 0, '/var/cache/hft'],
  ['a user', { HOME: '/home/ann' }, 1000, '/home/ann/.cache/hft'],
  ['a user with a folder of their own', { HOME: '/home/ann', XDG_CACHE_HOME: '/fast' }, 1000, '/fast/hft'],
  ['a relative folder is no folder (XDG)', { HOME: '/home/ann', XDG_CACHE_HOME: 'x' }, 1000, undefined],
  ['nobody at home', {}, 65534, undefined],
])('%s', (_name, environment, uid, expected) => {
  expect(compileCacheFolder(environment, uid)).toBe(expected);
});
