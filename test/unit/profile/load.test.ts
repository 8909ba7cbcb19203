import { describe, expect, test } from 'vitest';
import { CpuExpressionError } from '../../../src/layout/cpu-expression.ts';
import { LayoutError } from '../../../src/layout/layout-error.ts';
import { listProfiles } from '../../../src/profile/list.ts';
import { loadProfile, placeOf } from '../../../src/profile/load.ts';
import { locateErrors } from '../../../src/profile/locate.ts';
import { contextOf } from './example-profile.ts';

test('a profile is its own keys over those of what it extends', async () => {
  const files = {
    '/hft/profiles/base.yaml':
      'description: the base\nexample:\n  swap: off\n  ring: max\n  pages: [{size: 2M, count: 4}]\n',
    './a.yaml': 'extends: base\nexample:\n  ring: 512\n  pages:\n    - {size: 1G, count: 1}\nlayout:\n  nic: none\n',
  };
  const profile = await loadProfile('./a.yaml', contextOf(files));
  expect(profile).toMatchObject({
    name: 'a',
    description: undefined,
    sources: ['/hft/profiles/base.yaml', './a.yaml'],
    wanted: { example: { swap: false, ring: 512, pages: [{ size: 2 ** 30, count: 1 }] } },
    layout: { nic: 'none' },
  });
  expect(placeOf(profile, ['example', 'swap'])).toEqual({ file: '/hft/profiles/base.yaml', line: 3, column: 9 });
  expect(placeOf(profile, ['example', 'ring'])).toEqual({ file: './a.yaml', line: 3, column: 9 });
  expect(placeOf(profile, ['layout', 'isolated'])).toEqual({ file: './a.yaml', line: 7, column: 3 });
});

test('null removes what is inherited', async () => {
  const files = {
    '/hft/profiles/base.yaml': 'example: {swap: off, ring: max}\n',
    './a.yaml': 'extends: base\nexample:\n  ring: null\n',
  };
  expect((await loadProfile('./a.yaml', contextOf(files))).wanted).toEqual({ example: { swap: false } });
});

test('a list of parents: later ones win, a parent may come twice', async () => {
  const files = {
    '/hft/profiles/root.yaml': 'example: {ring: 1}\n',
    '/hft/profiles/left.yaml': 'extends: root\nexample: {swap: on}\n',
    '/hft/profiles/right.yaml': 'extends: root\nexample: {swap: off}\n',
    './a.yaml': 'extends: [left, ./b/mine.yaml, right]\n',
    'b/mine.yaml': 'extends: ../c.yaml\n',
    'c.yaml': 'example: {governor: performance}\n',
  };
  const profile = await loadProfile('./a.yaml', contextOf(files));
  expect(profile.wanted).toEqual({ example: { swap: false, ring: 1, governor: 'performance' } });
  expect(profile.sources).toEqual([
    '/hft/profiles/root.yaml',
    '/hft/profiles/left.yaml',
    'c.yaml',
    'b/mine.yaml',
    '/hft/profiles/right.yaml',
    './a.yaml',
  ]);
});

test("an administrator's profile can extend the shipped one of the same name", async () => {
  const files = {
    '/etc/hft/profiles/colo.yaml': 'extends: colo\nexample: {ring: 9}\n',
    '/hft/profiles/colo.yaml': 'example: {swap: on}\n',
  };
  expect((await loadProfile('colo', contextOf(files))).wanted).toEqual({ example: { swap: true, ring: 9 } });
});

test('byte order mark, CRLF, anchors and comments are fine', async () => {
  const text =
    '\uFEFF# mine\r\nexample: &x\r\n  swap: "off"\r\n  perNic:\r\n    eth0: &nic {mtu: 9000}\r\n    eth1: *nic\r\n';
  const profile = await loadProfile('./a.yaml', contextOf({ './a.yaml': text }));
  expect(profile.wanted).toEqual({ example: { swap: false, perNic: { eth0: { mtu: 9000 }, eth1: { mtu: 9000 } } } });
});

test('a list shows what it can, and what is wrong with the others', async () => {
  const context = contextOf({
    '/hft/profiles/good.yaml': 'description: fine\nextends: nowhere\n',
    '/hft/profiles/torn.yaml': 'a: [1\n',
    '/hft/profiles/secret.yaml': 'description: x\n',
    '/hft/profiles/README.md': '# no profile\n',
    '/etc/hft/profiles/good.yaml': 'description: ours\n',
  });
  context.reader.unreadable.set('/hft/profiles/secret.yaml', 'EACCES');
  expect(await listProfiles(context)).toEqual([
    { name: 'good', description: 'ours', file: '/etc/hft/profiles/good.yaml' },
    { name: 'secret', description: '', file: 'secret', problem: expect.stringContaining('EACCES') },
    {
      name: 'torn',
      description: '',
      file: '/hft/profiles/torn.yaml',
      problem: expect.stringContaining('torn.yaml:2:1'),
    },
  ]);
});

describe('what a machine cannot have is told with its place in the profile', () => {
  const text = 'layout:\n  isolated:\n    cores: 9\nexample:\n  cpus: 4-7 - 6\n';
  test.each<[string, Error, string]>([
    [
      'a layout',
      new LayoutError('isolated', 'cores: 9 cannot be met', ['Ask for fewer.']),
      './a.yaml:3:5  layout.isolated: cores',
    ],
    ['a layout key that is not written', new LayoutError('irq', 'no', []), './a.yaml:2:3  layout.irq: no'],
    [
      'a CPU set',
      new CpuExpressionError({ expression: '4-7 - 6', column: 1 }, 'CPU 7 is not on box7'),
      './a.yaml:5:9  CPU set "4-7 - 6", column 1: CPU 7 is not on box7',
    ],
    ['anything else', new Error('a bug'), 'a bug'],
  ])('%s', async (_name, error, message) => {
    const profile = await loadProfile('./a.yaml', contextOf({ './a.yaml': text }));
    await expect(locateErrors(profile, () => Promise.reject(error))).rejects.toThrow(message);
  });
});
