import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInterruptTable } from '../../../src/launch/interrupt-text.ts';
import { matchesPattern, matchThreads } from '../../../src/launch/match-threads.ts';
import { parseMigrations, parseNumaMaps, parseTaskStat, parseTaskStatus } from '../../../src/launch/task-text.ts';
import { rule, statText } from './task-texts.ts';

describe('what the kernel says', () => {
  test('of a thread, whatever its name is', () => {
    const text = statText('a) S (b', {
      9: 0x00200000,
      10: 5,
      12: 1,
      14: 10,
      15: 3,
      19: -5,
      22: 900,
      39: 3,
      40: 48,
      41: 1,
    });
    expect(parseTaskStat(text)).toEqual({
      name: 'a) S (b',
      state: 'S',
      isKernel: true,
      isBound: false,
      minorFaults: 5,
      majorFaults: 1,
      ticks: 13,
      nice: -5,
      startTicks: '900',
      cpu: 3,
      priority: 48,
      policy: 'fifo',
    });
  });

  test.each([
    ['nothing', ''],
    ['a thread that has ended', statText('x', { 3: 'Z' })],
    ['half a line', '1 (x) S 1 2'],
  ])('%s is no thread', (_, text) => {
    expect(parseTaskStat(text)).toBeUndefined();
  });

  test('of any text, without an error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseTaskStat(text);
        parseNumaMaps(text);
        parseMigrations(text);
        parseInterruptTable(text, [0]);
      }),
    );
  });

  test('of its memory and its switches', () => {
    const text =
      'Name:\tmd\nVmLck:\t    2048 kB\nVmRSS:\t 10 kB\nVmSwap:\t 4 kB\nHugetlbPages:\t 4096 kB\nCpus_allowed_list:\t2-3,8\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t9\n';
    expect(parseTaskStatus(text)).toEqual({
      allowed: [2, 3, 8],
      involuntary: 9,
      voluntary: 7,
      lockedBytes: 2048 * 1024,
      swapBytes: 4096,
      residentBytes: 10240,
      hugetlbBytes: 4096 * 1024,
    });
    expect(parseTaskStatus('Name:\tgone\n')).toBeUndefined();
  });

  test('of NUMA nodes: what is its own, in bytes of its pages', () => {
    const text = [
      '00400000 default file=/opt/md mapped=140 N1=140 kernelpagesize_kB=4',
      '7f00 bind:0 anon=10 dirty=10 N0=8 N1=2 kernelpagesize_kB=4',
      '7f10 bind:0 file=/dev/hugepages/x huge dirty=3 N1=3 kernelpagesize_kB=2048',
      '7f20 default heap anon=1 dirty=1 N0=1 kernelpagesize_kB=4',
    ].join('\n');
    expect([...parseNumaMaps(text)]).toEqual([
      [0, 9 * 4096],
      [1, 2 * 4096 + 3 * 2 ** 21],
    ]);
  });
});

describe('which thread is meant', () => {
  test('exact names first, then start order, patterns, all others; more of a name than CPUs are others', () => {
    const rules = [rule('*', [[0]]), rule('gw-*', [[4], [5]]), rule('#0', [[1]]), rule('md', [[2]])];
    const names = ['main', 'gw-1', 'md', 'gw-2', 'gw-3', 'log'];
    const { matched, missing } = matchThreads(
      rules,
      names.map((name) => ({ name })),
    );
    expect(Object.fromEntries(matched.map(({ task, cpus }) => [task.name, cpus]))).toEqual({
      main: [1],
      md: [2],
      'gw-1': [4],
      'gw-2': [5],
      'gw-3': [0],
      log: [0],
    });
    expect(missing).toEqual([]);
  });

  test('nobody is meant twice, and nobody is forgotten where there are others', () => {
    const name = fc.stringMatching(/^[ab]{1,3}$/);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), fc.uniqueArray(name, { maxLength: 4 }), (names, keys) => {
        const tasks = names.map((each) => ({ name: each }));
        const { matched } = matchThreads([...keys.map((key) => rule(key, [[1]])), rule('*', [[0]])], tasks);
        expect(matched).toHaveLength(tasks.length);
        expect(new Set(matched.map(({ task }) => task)).size).toBe(tasks.length);
      }),
    );
  });

  test.each([
    ['ZMQbg/*', 'ZMQbg/IO/0', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['[x]', 'x', false],
    ['[x]', '[x]', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(matchesPattern(pattern, name)).toBe(expected);
  });
});
