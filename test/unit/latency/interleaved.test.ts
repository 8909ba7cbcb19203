import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ComparedRun } from '../../../src/latency/statistics/compare.ts';
import {
  compareInterleaved,
  type MeasuredRun,
  pairByTime,
  pairsMissing,
} from '../../../src/latency/statistics/interleaved.ts';
import { seededRandom } from '../../../src/latency/statistics/random.ts';
import { normals } from '../../simulation/streams.ts';

/** `ABBA` as runs of a second each, in that order. */
function runsOf(order: string) {
  const runs = [...order].map((state, i) => ({ state, startEpochS: 1000 + i }));
  return {
    before: runs.filter(({ state }) => state === 'A'),
    after: runs.filter(({ state }) => state === 'B'),
  };
}

describe('pairs by time', () => {
  test.each([
    ['AB', 1, 0],
    ['ABABABAB', 4, 0],
    ['BABABABA', 4, 0],
    ['ABBAABBA', 4, 0],
    ['AAAABBBB', 1, 6],
    ['AABABABAB', 4, 1],
    ['ABABABABA', 4, 1],
    ['ABABBABAB', 4, 1],
  ])('%s', (order, pairs, leftOut) => {
    const { before, after } = runsOf(order);
    const pairing = pairByTime(before.toReversed(), after);
    expect([pairing.order, pairing.pairs.length, pairing.leftOut.length]).toEqual([order, pairs, leftOut]);
    expect(pairsMissing(pairing)).toBe(Math.max(0, 4 - pairs));
  });

  test('use every run once, in neighbours of different states', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('A', 'B'), { maxLength: 30 }), (states) => {
        const { before, after } = runsOf(states.join(''));
        const { pairs, leftOut } = pairByTime(before, after);
        const used = [...pairs.flatMap((pair) => [pair.before, pair.after]), ...leftOut];
        expect(used.map(({ startEpochS }) => startEpochS).sort()).toEqual(states.map((_, i) => 1000 + i).sort());
        for (const pair of pairs) {
          expect([pair.before.state, pair.after.state]).toEqual(['A', 'B']);
          expect(Math.abs(pair.before.startEpochS - pair.after.startEpochS)).toBe(1);
        }
      }),
    );
  });
});

/** Rows whose quantiles are `level` of the run times `factors` of the state. */
function measured(order: string, factors: Readonly<Record<string, number>>, seed: number, rows = ['one', 'two']) {
  const normal = normals(seededRandom(seed));
  const run = (startEpochS: number, state: string): MeasuredRun => ({
    startEpochS,
    rows: new Map(
      rows.map((name): [string, ComparedRun] => {
        const level = Math.exp(0.03 * normal()) * (state === 'B' ? (factors[name] ?? 1) : 1);
        return [name, { floorNs: 1, quantile: (q) => 2000 * level * (1 + q) }];
      }),
    ),
  });
  const runs = [...order].map((state, i) => ({ state, run: run(1000 + i, state) }));
  const of = (state: string) => runs.filter((each) => each.state === state).map(({ run }) => run);
  return { before: of('A'), after: of('B') };
}

const ASKED = { quantiles: [0.5, 0.99], seed: 1 };

describe('a decision from interleaved runs', () => {
  test('tells the row that changed from the one that did not', () => {
    const { names, comparison } = compareInterleaved(measured('ABABABABABAB', { two: 1.5 }, 1), ASKED);
    expect(names).toEqual(['one', 'two']);
    expect(comparison.rows.map((row) => row.map(({ answer }) => answer))).toEqual([
      ['undecided', 'undecided'],
      ['higher', 'higher'],
    ]);
  });

  test('proves nothing from runs that do not alternate, however different', () => {
    const { comparison, pairs } = compareInterleaved(measured('AAAAAABBBBBB', { one: 3, two: 3 }, 1), ASKED);
    expect([comparison.answer, pairs.length]).toEqual(['proves nothing', 1]);
  });

  test('leaves out rows that a run does not have', () => {
    const runs = measured('ABABABAB', {}, 1);
    const [first, ...others] = runs.before;
    const poorer = { startEpochS: first?.startEpochS ?? 0, rows: new Map([...(first?.rows ?? [])].slice(1)) };
    expect(compareInterleaved({ ...runs, before: [poorer, ...others] }, ASKED).names).toEqual(['two']);
  });

  test('is false for any row in at most one of twenty cases without a change', () => {
    const cases = 200;
    const rows = Array.from({ length: 6 }, (_, i) => `row ${i}`);
    const wrong = Array.from({ length: cases }, (_, i) =>
      compareInterleaved(measured('ABABABAB', {}, 100 + i, rows), { quantiles: [0.5], seed: 1 }),
    ).filter(({ comparison }) => comparison.answer === 'differs');
    // 5 % and three standard errors.
    expect(wrong.length).toBeLessThanOrEqual(0.05 * cases + 3 * Math.sqrt(cases * 0.05 * 0.95));
  });
});
