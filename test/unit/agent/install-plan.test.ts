import { describe, expect, test } from 'vitest';
import { isLoopback, planInstall, withPort } from '../../../src/agent/install/install-plan.ts';
import { parsePackageFile } from '../../../src/agent/install/package-file.ts';
import { parseSeen } from '../../../src/agent/install/seen.ts';
import { planUninstall } from '../../../src/agent/install/uninstalling.ts';
import { makeKeyPair, printPublicKey } from '../../../src/agent/keys/key-text.ts';

const [agent, own, other] = [makeKeyPair(), makeKeyPair(), makeKeyPair()].map(({ publicKey }) => publicKey) as [
  string,
  string,
  string,
];
const packages = ['/out/hft_0.2.0_amd64.deb', '/out/hft-0.2.0-linux-x64.tar.xz', '/out/hft_0.2.0_arm64.deb'].map(
  parsePackageFile,
);
const wish = {
  ...{ host: 'box7', packages, listen: undefined, metrics: undefined, port: 7411, pinned: [] as readonly string[] },
  controller: { key: own, role: undefined, name: 'alice' },
};
const BARE = ['machine=x86_64', 'glibc=glibc 2.36', 'systemd=yes', 'xz=yes', 'dpkg=yes', 'deb='];
const WHOLE = [
  ...BARE.filter((line) => !line.startsWith('deb')),
  ...['deb=installed 0.2.0', 'listen=10.1.0.7', 'enabled=enabled', 'active=active'],
  ...[
    `key=${printPublicKey(agent)}`,
    `authorized=admin ${printPublicKey(own)} alice`,
    `authorized=viewer ${printPublicKey(other)} bob`,
  ],
];
const seen = (lines: readonly string[], ...more: readonly string[]) =>
  parseSeen(['Welcome to box7!', ...[...lines, ...more].map((line) => `hft:${line}`)].join('\r\n'));
const stepsOf = (lines: readonly string[], more: object = {}) =>
  planInstall({ ...wish, pinned: [agent], ...more }, seen(lines)).steps.map(({ step }) => step);
const instead = (line: string) => [...WHOLE.filter((each) => !each.startsWith(`${line.split('=')[0]}=`)), line];

describe('what is to be done on a host', () => {
  test('nothing where all is as wanted, with more rights than asked for too', () => {
    expect(stepsOf(WHOLE)).toEqual([]);
    expect(stepsOf(WHOLE, { listen: '10.1.0.7:7411' })).toEqual([]);
  });

  test.each([
    ['another version', 'deb=installed 0.3.0', ['package', 'service']],
    ['a .deb that was cut off', 'deb=half-installed 0.2.0', ['package', 'service']],
    ['a removed .deb', 'deb=config-files 0.2.0', ['package', 'service']],
    ['no key', 'key=', ['key', 'service', 'pin']],
    ['another key than the pinned one', `key=${printPublicKey(other)}`, ['pin']],
    ['nobody authorised', 'authorized=# none', ['controller']],
    ['not enabled', 'enabled=disabled', ['service']],
    ['not running', 'active=failed', ['service']],
    ['changed and not started since', 'stale=yes', ['service']],
  ])('%s', (_, line, expected) => {
    expect(stepsOf(instead(line))).toEqual(expected);
  });

  test('what is said and differs', () => {
    expect(stepsOf(WHOLE, { listen: '10.1.0.8' })).toEqual(['listen', 'service']);
    expect(stepsOf(WHOLE, { controller: { ...wish.controller, role: 'viewer' } })).toEqual(['controller']);
    expect(stepsOf(WHOLE, { pinned: [other] })).toEqual(['pin']);
    expect(stepsOf(BARE, { pinned: [] })).toEqual(['package', 'key', 'controller', 'service', 'pin']);
    expect(planInstall({ ...wish, port: 7500 }, seen(BARE)).listen).toBe('127.0.0.1:7500');
  });

  test('which package', () => {
    const kindOf = (...more: readonly string[]) => planInstall(wish, seen(BARE, ...more)).package.kind;
    expect([kindOf(), kindOf('missing=libatomic1'), kindOf('tarball=0.1.0')]).toEqual(['deb', 'tarball', 'tarball']);
    const without = BARE.filter((line) => !/^dpkg|^deb/.test(line));
    expect(planInstall(wish, seen(without)).package.kind).toBe('tarball');
  });

  test.each([
    ['another architecture', ['machine=riscv64'], /^box7: it is a riscv64, and hft is made for x86_64 and aarch64\.$/],
    [
      'no package for it',
      ['machine=aarch64', 'dpkg=yes', 'missing=libatomic1'],
      /takes the tarball, since libatomic1 is missing there/,
    ],
    ['no systemd', ['systemd='], /^box7: systemd does not run it/],
    ['no xz', ['xz=', 'missing=libatomic1'], /^box7: xz is not installed there/],
    ['an old C library', ['glibc=glibc 2.17'], /glibc 2\.17, and hft needs 2\.28/],
  ])('%s is refused in one line', (_, lines, expected) => {
    const names = lines.map((line) => line.split('=')[0]);
    const host = seen([...BARE.filter((line) => !names.includes(line.split('=')[0] as string)), ...lines]);
    expect(() => planInstall(wish, host)).toThrow(expected);
  });

  test('addresses', () => {
    expect(['10.1.0.7', '10.1.0.7:7500', '[::]', '[::1]:80'].map(withPort)).toEqual([
      '10.1.0.7:7411',
      '10.1.0.7:7500',
      '[::]:7411',
      '[::1]:80',
    ]);
    expect(['127.0.0.1:7411', '[::1]:80', '0.0.0.0:7411', '10.1.0.7:7411'].map(isLoopback)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('what a host says moves no cursor of who reads it', () => {
    expect(planInstall(wish, seen([...BARE, 'listen=10.0.0.1\u001b[2J'])).listen).toBe('10.0.0.1\ufffd[2J');
  });

  test('names of packages', () => {
    expect(parsePackageFile('x/hft_1.2.3~rc1_arm64.deb')).toMatchObject({
      kind: 'deb',
      version: '1.2.3~rc1',
      architecture: 'arm64',
    });
    for (const name of ['hft.deb', 'hft_1.0_i386.deb', 'hft-1.0-linux-x64.tar.gz', 'hft_$(x)_amd64.deb'])
      expect(() => parsePackageFile(name)).toThrow('--package');
  });
});

test('what an uninstall takes and refuses', () => {
  const present = ['present=/etc/hft/', 'present=/var/lib/hft', 'present=/run/hft'];
  const quiet = '{"profile":null,"changes":[],"cutOff":[],"notUndone":[],"launched":null}';
  const plan = (status: string, keepState = false) =>
    planUninstall('box7', seen(WHOLE, ...present, `status=${status}`), { keepState });
  expect(plan(quiet).removes).toHaveLength(5);
  expect(() => plan(quiet.replace('null', '"colo"'))).toThrow('box7: profile colo is in force there.');
  expect(() => plan('')).toThrow('no hft that says what is in force');
  expect(plan('', true)).toMatchObject({ keeps: [expect.stringContaining('/var/lib/hft')] });
  expect(planUninstall('box7', seen(BARE), { keepState: false })).toMatchObject({ removes: [], keeps: [] });
});
