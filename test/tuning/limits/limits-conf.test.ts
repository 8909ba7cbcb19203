import { describe, expect, test } from 'vitest';
import { type Account, findEffective, isSameLimit, parseLimits } from '../../../src/tuning/limits/limits-conf.ts';
import { findOverrides } from '../../../src/tuning/limits/overrides.ts';

const alice: Account = { name: 'alice', uid: 1000, groups: [{ name: 'trading', gid: 901 }] };
const root: Account = { name: 'root', uid: 0, groups: [{ name: 'trading', gid: 901 }] };
const OWN = '/etc/security/limits.d/90-hft.conf';

const effective = (text: string, account: Account) =>
  findEffective(account, { item: 'memlock', type: 'hard' }, parseLimits('limits.conf', text))?.line;

describe('limits.conf(5)', () => {
  test('comments, case, and what is no entry', () => {
    const text =
      '# alice - memlock 1\nalice HARD MemLock Unlimited # why\n\nalice hard memlock\nalice wrong memlock 1\n@x -\n';
    expect(parseLimits('f', text)).toEqual([
      { path: 'f', line: 2, domain: 'alice', type: 'hard', item: 'memlock', value: 'unlimited' },
      { path: 'f', line: 6, domain: '@x', type: '-', item: undefined, value: '' },
    ]);
  });

  test.each([
    ['the last of equals', '@trading - memlock 1\n@trading hard memlock 2', alice, 2],
    ['a user’s before a group’s', 'alice - memlock 1\n@trading - memlock 2', alice, 1],
    ['a group’s before everybody’s', '@trading - memlock 1\n* - memlock 2', alice, 1],
    ['soft ones say nothing of hard ones', '@trading - memlock 1\nalice soft memlock 2', alice, 1],
    ['other items neither', '@trading - memlock 1\nalice - nofile 2', alice, 1],
    ['a range of user ids', '@trading - memlock 1\n500: - memlock 2', alice, 2],
    ['a range that ends before', '@trading - memlock 1\n:999 - memlock 2', alice, 1],
    ['a range of group ids', '* - memlock 1\n@900:901 - memlock 2', alice, 2],
    ['no limits at all', 'alice - memlock 1\n@trading -', alice, 2],
    ['groups and everybody are not root', '@trading - memlock 1\n* - memlock 2', root, undefined],
    ['root itself', 'root - memlock 1\n* - memlock 2', root, 1],
  ])('%s', (_, text, account, line) => {
    expect(effective(text, account)).toBe(line);
  });

  test.each([
    ['unlimited', '-1', true],
    ['infinity', 'unlimited', true],
    ['065536', '65536', true],
    ['65536', '65537', false],
    ['unlimited', '65536', false],
  ])('%s is %s: %s', (left, right, expected) => {
    expect(isSameLimit(left, right)).toBe(expected);
  });
});

describe('overrides', () => {
  const own = { path: OWN, text: '# hft\n@trading - memlock unlimited\n' };
  const override = (name: string, text: string | undefined, accounts: readonly Account[] = []) =>
    findOverrides(own, { accounts, files: [{ path: `/etc/security/${name}`, text }] }).map(({ kind }) => kind);

  test.each([
    ['limits.conf', []],
    ['limits.d/10-before.conf', []],
    ['limits.d/95-after.conf', ['conflict']],
    ['limits.d/Z.conf', ['conflict']],
  ])('%s counts by the order of the C locale', (name, expected) => {
    expect(override(name, '@trading hard memlock 64')).toEqual(expected);
  });

  test('a group that has no members yet, and names that only a directory service knows', () => {
    expect(override('limits.d/95.conf', '@other - memlock 64\nalice - memlock 64')).toEqual([]);
    expect(override('limits.conf', 'alice - memlock 64', [alice])).toEqual(['conflict']);
    expect(override('limits.conf', 'root - memlock 64', [root])).toEqual([]);
  });

  test('a file that could not be read is not known to be harmless', () => {
    expect(override('limits.d/95.conf', undefined)).toEqual(['unknown']);
  });

  test('soft and hard of one entry are one conflict', () => {
    expect(override('limits.d/95.conf', '@trading - memlock 64')).toEqual(['conflict']);
  });
});
