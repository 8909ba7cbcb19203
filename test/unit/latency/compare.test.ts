import { describe, expect, test } from 'vitest';
import { Histogram } from '../../../src/latency/histogram/histogram.ts';
import { compareRuns, type RunPair } from '../../../src/latency/statistics/compare.ts';
import { relabellings, stepDown } from '../../../src/latency/statistics/permutation.ts';
import { type Random, seededRandom } from '../../../src/latency/statistics/random.ts';
import { normals } from '../../simulation/streams.ts';

/** A run of lognormal latencies, `factor` times as slow, on a host whose level differs from run to run. */
function run(random: Random, { factor, samples, wander }: { factor: number; samples: number; wander: number }) {
  const normal = normals(random);
  const level = Math.exp(wander * normal());
  const histogram = new Histogram();
  for (let i = 0; i < samples; i++) histogram.record(Math.round(2000 * factor * level * Math.exp(0.4 * normal())));
  return [histogram.toBlock({ startNs: 0, durationNs: 1e9 })];
}

function pairsOf(
  seed: number,
  {
    count,
    factor,
    samples = 1000,
    wander = 0.03,
  }: { count: number; factor: number; samples?: number; wander?: number },
): RunPair[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => ({
    before: run(random, { factor: 1, samples, wander }),
    after: run(random, { factor, samples, wander }),
  }));
}

const QUANTILES = [0.5, 0.9, 0.99];

describe('a comparison', () => {
  test('of one pair proves nothing, whatever it shows', () => {
    const compared = compareRuns(pairsOf(1, { count: 1, factor: 0.1 }), { quantiles: QUANTILES, seed: 1 });
    expect(compared.answer).toBe('proves nothing');
    expect(compared.why).toBe('one pair of runs cannot tell the change from chance, 4 interleaved pairs can');
    expect(compared.quantiles.map(({ answer }) => answer)).toEqual(['undecided', 'undecided', 'undecided']);
    expect(compared.quantiles[0]?.differenceNs.upper).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([4, 6, 13])('of %d pairs tells a change by a half from chance', (count) => {
    const compared = compareRuns(pairsOf(2, { count, factor: 0.5 }), { quantiles: QUANTILES, seed: 1 });
    expect(compared.answer).toBe('differs');
    for (const { answer, beforeNs, afterNs, differenceNs, probability } of compared.quantiles) {
      expect(answer).toBe('lower');
      expect(afterNs / beforeNs).toBeCloseTo(0.5, 1);
      expect(differenceNs.upper).toBeLessThan(0);
      expect(probability).toBeLessThanOrEqual(0.05);
    }
  });

  test('of runs of one state is undecided', () => {
    const compared = compareRuns(pairsOf(3, { count: 6, factor: 1 }), { quantiles: QUANTILES, seed: 1 });
    expect(compared).toMatchObject({
      answer: 'undecided',
      why: 'the runs of one state differ among themselves as much as from the other state',
    });
  });

  test('has no answer for a quantile that a run has too few samples for', () => {
    const compared = compareRuns(pairsOf(4, { count: 4, factor: 2, samples: 999 }), {
      quantiles: [0.5, 0.99],
      seed: 1,
    });
    expect(compared.quantiles.map(({ answer }) => answer)).toEqual(['higher', 'n/a']);
  });

  test('of a run without samples is an error', () => {
    expect(() => compareRuns([{ before: [], after: [] }], { quantiles: [0.5], seed: 1 })).toThrow(
      'a run without samples',
    );
  });

  test.each([
    { count: 4, wander: 0.05 },
    { count: 5, wander: 0.05 },
    { count: 6, wander: 0.2 },
    { count: 8, wander: 0 },
  ])('is wrong in at most one of twenty cases without a change: $count pairs', ({ count, wander }) => {
    const cases = 200;
    let wrong = 0;
    for (let i = 0; i < cases; i++) {
      const pairs = pairsOf(1000 + i, { count, factor: 1, samples: 100, wander });
      if (compareRuns(pairs, { quantiles: [0.5, 0.75, 0.9], seed: i }).answer === 'differs') wrong++;
    }
    // 5 % and three standard errors.
    expect(wrong).toBeLessThanOrEqual(0.05 * cases + 3 * Math.sqrt(cases * 0.05 * 0.95));
  });
});

describe('relabelling', () => {
  test('takes all halves of few runs and all swaps of more pairs, the actual labels once among them', () => {
    expect([2, 4, 5, 6, 8].map((pairs) => relabellings(pairs, seededRandom(1)).length)).toEqual([6, 70, 252, 64, 256]);
    expect(relabellings(20, seededRandom(1))).toHaveLength(5000);
    for (const pairs of [4, 6, 20]) {
      const actual = Array.from({ length: 2 * pairs }, (_, run) => run % 2 === 1).join();
      expect(relabellings(pairs, seededRandom(1)).filter(({ isAfter }) => isAfter.join() === actual)).toHaveLength(1);
    }
  });

  test('steps down: the second largest statistic competes only with what is left', () => {
    const rows = [
      [10, 3],
      [1, 4],
      [9, 1],
      [2, 2],
    ];
    expect(stepDown([10, 3], rows)).toEqual([0.25, 0.5]);
  });
});
