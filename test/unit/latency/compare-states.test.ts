import { describe, expect, test } from 'vitest';
import { readHdrLog } from '../../../src/latency/histogram/log-read.ts';
import { writeHdrLog } from '../../../src/latency/histogram/log-write.ts';
import type { LatencyRow } from '../../../src/latency/report/row.ts';
import {
  type ComparedState,
  compareExitCode,
  compareStates,
  type StateRun,
} from '../../../src/latency/saved/comparison.ts';
import type { Fingerprint } from '../../../src/latency/saved/fingerprint.ts';
import { type ComparableRow, comparableRow, comparedTags, kindOfTag } from '../../../src/latency/saved/logged-rows.ts';
import { seededRandom } from '../../../src/latency/statistics/random.ts';
import { viewComparison } from '../../../src/views/latency-compare.ts';
import { FACTS } from '../views/report/sample.ts';
import { intervalsOf } from './runs.ts';

const START_S = 1_790_000_000;
const HOUR_S = 3600;
const NOTHING = { unusable: new Map(), reported: undefined, fingerprint: undefined };

/** A row of one run: written as a log, read back. */
function rowOf(seed: number, middleNs: number, startEpochS = START_S): ComparableRow {
  const text = writeHdrLog(intervalsOf(seededRandom(seed), { tag: 'orders', startEpochS, middleNs }), startEpochS);
  const row = comparableRow(readHdrLog(text, { file: 'x' }), { file: 'x', tag: 'orders' }, kindOfTag('orders'));
  if (row === undefined) throw new Error('no samples');
  return row;
}

/** `ABAB` of one row, an hour apart; B is `factor` times as long. */
function statesOf(order: string, factor: number, more: (state: string, i: number) => Partial<StateRun> = () => ({})) {
  const runs = [...order].map((state, i) => {
    const startEpochS = START_S + i * HOUR_S;
    const row = rowOf(i, (state === 'B' ? factor : 1) * (2000 + (i % 3) * 4), startEpochS);
    return {
      state,
      run: { ...NOTHING, run: `run ${i}`, startEpochS, rows: new Map([['orders', row]]), ...more(state, i) },
    };
  });
  const of = (name: string, state: string): ComparedState => ({
    name,
    runs: runs.filter((each) => each.state === state).map(({ run }) => run),
  });
  return [of('stock', 'A'), of('tuned', 'B')] as const;
}

const compare = (order: string, factor: number, tolerance = 0.05) =>
  compareStates(...statesOf(order, factor), tolerance);

describe('the answer', () => {
  test.each([
    ['ABABABAB', 1.5, 'worse', 1],
    ['ABABABAB', 0.5, 'not worse', 0],
    ['BAABBAAB', 1.5, 'worse', 1],
    ['AB', 1.5, 'proves nothing', 6],
    ['AB', 0.1, 'proves nothing', 6],
    ['ABABAB', 1.5, 'proves nothing', 6],
    ['AAAABBBB', 1.5, 'proves nothing', 6],
  ])('of %s, times %f: %s', (order, factor, answer, exitCode) => {
    const result = compare(order, factor);
    expect([result.answer, compareExitCode(result), result.order]).toEqual([answer, exitCode, order]);
  });

  test('is the verdict of each quantile', () => {
    expect(compare('ABABABAB', 1.5).summary).toEqual({
      better: 0,
      notWorse: 0,
      worse: 3,
      undecided: 0,
      notAvailable: 1,
    });
    expect(compare('ABABABAB', 0.5).summary).toMatchObject({ better: 3, worse: 0 });
    const { quantiles } = compare('ABABABAB', 1.5).rows[0] ?? {};
    const { difference, probability, intervalFrom, before, after } = quantiles?.p50 ?? {};
    expect([probability, intervalFrom]).toEqual([2 / 70, 'runs']);
    expect((after ?? 0) / (before ?? 1)).toBeCloseTo(1.5, 1);
    expect(difference?.lower).toBeGreaterThan(0);
    expect(quantiles?.['p99.99']).toMatchObject({ verdict: 'n/a', before: null, difference: null });
  });

  test('may be undecided, and takes as much worsening as is allowed', () => {
    expect(compare('ABABABAB', 1.1, 0.2).answer).toBe('not worse');
    expect(compare('ABABABAB', 1, 0.1)).toMatchObject({ answer: 'not worse', summary: { better: 0, notWorse: 3 } });
    expect(compare('ABABABAB', 1, 0)).toMatchObject({ answer: 'undecided', summary: { worse: 0 } });
  });

  test('of one pair has the intervals of the samples', () => {
    const { p50, 'p99.9': p999 } = compare('AB', 1.5).rows[0]?.quantiles ?? {};
    expect(p50).toMatchObject({ verdict: 'undecided', intervalFrom: 'samples', probability: null });
    expect(p50?.difference?.lower).toBeGreaterThan(0);
    // Ten samples beyond are enough for a value and not for a bound.
    expect(p999?.difference).toMatchObject({ lower: null, upper: null });
  });

  test('is the same every time', () => {
    expect(compare('ABABABABABABAB', 1.01)).toEqual(compare('ABABABABABABAB', 1.01));
  });
});

describe('what is not compared', () => {
  const reported = (more: object) => new Map([['orders', more as LatencyRow]]);

  test.each<[string, (state: string, i: number) => Partial<StateRun>, string]>([
    ['a row that one run lacks', (_, i) => (i === 3 ? { rows: new Map() } : {}), 'run 3 does not have it'],
    [
      'a run that must not be judged',
      (_, i) => (i === 2 ? { unusable: new Map([['orders', 'The clock drifted.']]) } : {}),
      'in run 2: The clock drifted.',
    ],
    [
      'other conditions',
      (state) => ({ reported: reported({ load: state === 'A' ? 'none' : 'network' }) }),
      'run 1 was measured otherwise than run 0: load none, now network',
    ],
  ])('%s is named, and the answer is open', (_, more, reason) => {
    const result = compareStates(...statesOf('ABABABAB', 0.5, more), 0.05);
    expect(result.notCompared).toEqual([{ row: 'orders', reason }]);
    expect([result.answer, compareExitCode(result)]).toEqual(['undecided', 6]);
  });

  test('a row that cannot be compared keeps the others from being enough', () => {
    const more = (_: string, i: number) => (i === 0 ? { unusable: new Map([['risk', 'there are no samples']]) } : {});
    const result = compareStates(...statesOf('ABABABAB', 0.5, more), 0.05);
    expect([result.answer, result.summary.better]).toEqual(['undecided', 3]);
    expect(result.why).toContain('could not be compared');
  });
});

test('a state whose machine changed between its runs is told', () => {
  const fingerprint = (kernel: string) =>
    ({ ...FACTS, kernel, profileInForce: null, hft: '0.1.0' }) satisfies Fingerprint;
  const more = (state: string, i: number) => ({ fingerprint: fingerprint(state === 'A' && i > 3 ? '6.2' : '6.1') });
  const result = compareStates(...statesOf('ABABABAB', 1, more), 0.05);
  expect(result.before.changed).toEqual([
    { what: 'kernel', before: '6.1 PREEMPT_RT x86_64', after: '6.2 PREEMPT_RT x86_64' },
  ]);
  expect(result.after.changed).toEqual([]);
  expect(viewComparison(result, { columns: 80, color: false })).toContain('The runs of stock are not of one state');
});

test('the closed loop beside an open one is not compared', () => {
  const tags = ['a/open', 'a/closed', 'b/closed', 'a/service'];
  const text = tags.flatMap((tag) => intervalsOf(seededRandom(1), { tag, startEpochS: START_S, seconds: 1 }));
  expect(comparedTags(readHdrLog(writeHdrLog(text, START_S), { file: 'x' }))).toEqual(['a/open', 'b/closed']);
});

test('gaps of jitter are compared by the delay that they make', () => {
  const intervals = intervalsOf(seededRandom(1), {
    tag: 'jitter/cpu1/gaps',
    startEpochS: START_S,
    perSecond: 100,
    middleNs: 50_000,
  });
  const log = readHdrLog(writeHdrLog(intervals, START_S), { file: 'x' });
  const place = { file: 'x', tag: 'jitter/cpu1/gaps' };
  const delay = comparableRow(log, place, kindOfTag(place.tag));
  const gap = comparableRow(log, place, { quantity: 'latency', floorNs: 1 });
  // Half a per cent of the time is gaps: nothing is delayed in half of all instants, and half of all gaps are 50 us.
  expect([delay?.quantile(0.5), Math.round((gap?.quantile(0.5) ?? 0) / 10_000)]).toEqual([0, 5]);
  expect(delay?.quantile(0.999)).toBeGreaterThan(0);
});

test.each([80, 200])('the text keeps to %i columns', async (columns) => {
  const results = [compare('AABABABAB', 1.5), compare('AB', 1.5), compare('ABABABAB', 0.5)];
  const text = results.map((result) => viewComparison(result, { columns, color: false })).join('\n\n-----\n\n');
  expect(text.split('\n').filter((line) => line.length > columns)).toEqual([]);
  await expect(`${text}\n`).toMatchFileSnapshot(`recorded/compare-${columns}.txt`);
});
