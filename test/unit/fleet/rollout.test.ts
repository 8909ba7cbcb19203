import { describe, expect, test } from 'vitest';
import { toCohorts, worstExitCode } from '../../../src/fleet/answers.ts';
import { countOdd, findDifferences } from '../../../src/fleet/difference.ts';
import { foldRecords, isSettled, type RolloutRecord } from '../../../src/fleet/rollout.ts';
import { cutWaves, parseWaveSize } from '../../../src/fleet/waves.ts';

const HOSTS = Array.from({ length: 12 }, (_, index) => `h${index}`);

describe('waves', () => {
  test.each([
    [1, '10%', [1, 2, 2, 2, 2, 2, 1]],
    [1, '100%', [1, 11]],
    [0, '5', [5, 5, 2]],
    [3, '1%', [3, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    [20, '1', [12]],
  ])('canary %i, wave %s', (canary, wave, sizes) => {
    const waves = cutWaves(HOSTS, canary, parseWaveSize('--wave', wave));
    expect(waves.map(({ length }) => length)).toEqual(sizes);
    expect(waves.flat()).toEqual(HOSTS);
  });

  test.each(['', '0', '0%', '101%', '-1', '10 %', '1.5', 'all'])('%j is no size', (text) => {
    expect(() => parseWaveSize('--wave', text)).toThrow(/^--wave: expected a number of hosts or a share such as 10%/);
  });
});

describe('the record of a rollout', () => {
  const time = '2026-01-01T00:00:00.000Z';
  const asked = (host: string, request: string): RolloutRecord<unknown> => ({
    is: 'asked',
    host,
    time,
    plan: 'p',
    request,
  });
  const ended = (host: string, outcome: 'done' | 'unknown' | 'failed' | 'pending-reboot'): RolloutRecord<unknown> => ({
    ...{ is: 'ended', host, time, outcome, why: 'so' },
    next: [],
  });

  test('asks again what was asked and has no end, and what ended nobody knows how', () => {
    const states = foldRecords([
      asked('a', '1'),
      asked('b', '2'),
      ended('b', 'unknown'),
      asked('c', '3'),
      ended('c', 'failed'),
    ]);
    expect(states.get('a')).toMatchObject({ asked: { request: '1' }, end: undefined });
    expect(states.get('b')).toMatchObject({ asked: { request: '2' }, end: { outcome: 'unknown' } });
    expect(states.get('c')).toMatchObject({ asked: undefined, end: { outcome: 'failed' } });
  });

  test('the last request counts', () => {
    const states = foldRecords([asked('a', '1'), ended('a', 'failed'), asked('a', '2')]);
    expect(states.get('a')).toEqual({ asked: { plan: 'p', request: '2' }, end: undefined });
  });

  test('leaves alone what is done, and what waits for a reboot unless it is to be rebooted', () => {
    const states = foldRecords([ended('a', 'done'), ended('b', 'pending-reboot'), ended('c', 'failed')]);
    const settled = (reboots: boolean) =>
      ['a', 'b', 'c', 'd'].filter((host) => isSettled(states.get(host)?.end, reboots));
    expect([settled(false), settled(true)]).toEqual([['a', 'b'], ['a']]);
  });
});

test('the worst host decides, and one that cannot be asked is worse than one that differs', () => {
  expect([[0, 5], [0, 1, 5], [1, 3], [3, 4], [70, 4], [], [0]].map(worstExitCode)).toEqual([5, 1, 3, 4, 70, 0, 0]);
});

test('hosts with the same outcome are together, the worst first', () => {
  const answers = [
    { host: 'a', brief: 'well', exitCode: 0 },
    { host: 'b', brief: 'gone', exitCode: 3 },
    { host: 'c', brief: 'well', exitCode: 0 },
  ];
  expect(toCohorts(answers).map(({ hosts }) => hosts)).toEqual([['b'], ['a', 'c']]);
});

describe('differences', () => {
  const of = (host: string, features: Record<string, string | undefined>) => ({
    host,
    features: new Map(Object.entries(features)),
  });

  test('name the odd one out, by what more than half have', () => {
    const found = findDifferences([
      of('a', { microcode: '0x2b', kernel: '6.12' }),
      of('b', { microcode: '0x2b', kernel: '6.12' }),
      of('c', { microcode: '0x1a', kernel: '6.12' }),
    ]);
    expect(found).toEqual([
      {
        feature: 'microcode',
        usual: { value: '0x2b', hosts: ['a', 'b'] },
        odd: [{ value: '0x1a', hosts: ['c'] }],
        unread: [],
      },
    ]);
    expect(countOdd(found)).toEqual([{ host: 'c', count: 1 }]);
  });

  test('half is no majority: nobody is called odd', () => {
    const found = findDifferences([of('a', { x: '1' }), of('b', { x: '2' })]);
    expect(found).toMatchObject([{ usual: undefined, odd: [{ hosts: ['a'] }, { hosts: ['b'] }] }]);
    expect(countOdd(found)).toEqual([]);
  });

  test('what is missing differs; what could not be read is told, and taken for neither', () => {
    const found = findDifferences([of('a', { x: '1' }), of('b', { x: '1' }), of('c', {}), of('d', { x: undefined })]);
    expect(found).toMatchObject([
      { usual: { hosts: ['a', 'b'] }, odd: [{ value: null, hosts: ['c'] }], unread: ['d'] },
    ]);
    expect(findDifferences([of('a', { x: '1' }), of('d', { x: undefined })])).toEqual([]);
  });
});
