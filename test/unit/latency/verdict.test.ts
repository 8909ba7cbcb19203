import { describe, expect, test } from 'vitest';
import { Histogram } from '../../../src/latency/histogram/histogram.ts';
import { ObservedShares } from '../../../src/latency/statistics/effective-size.ts';
import { latencyExceedances } from '../../../src/latency/statistics/exceedances.ts';
import { maximumOf, unseenPerSecondMax } from '../../../src/latency/statistics/maximum.ts';
import { estimateQuantile } from '../../../src/latency/statistics/quantile.ts';
import { seededRandom } from '../../../src/latency/statistics/random.ts';
import { judgeQuantile } from '../../../src/latency/statistics/verdict.ts';
import {
  drifting,
  independent,
  markovStalls,
  type Sampling,
  type Stream,
  trueQuantileNs,
} from '../../simulation/streams.ts';

const sharesOf = (stream: Stream, sampling: Sampling) =>
  new ObservedShares(latencyExceedances(stream.sample(seededRandom(11), sampling)));

const calm = sharesOf(independent(), { durationS: 60, rateHz: 1000 });
const P99_NS = trueQuantileNs(independent(), 0.99);

describe('a verdict', () => {
  test('is pass when the whole interval meets the target', () => {
    const { upperNs } = estimateQuantile(calm, 0.99);
    const judged = judgeQuantile(calm, { q: 0.99, targetNs: upperNs });
    expect(judged).toMatchObject({
      verdict: 'pass',
      decidesAfterNs: undefined,
      why: `the quantile is at most ${upperNs} ns`,
    });
  });

  test('is fail when the whole interval misses it', () => {
    const { lowerNs } = estimateQuantile(calm, 0.99);
    expect(judgeQuantile(calm, { q: 0.99, targetNs: lowerNs - 1 })).toMatchObject({ verdict: 'fail' });
    expect(judgeQuantile(calm, { q: 0.99, targetNs: lowerNs }).verdict).toBe('inconclusive');
  });

  test('is inconclusive between, and the run that it asks for decides in most cases', () => {
    const { valueNs = 0, upperNs } = estimateQuantile(calm, 0.99);
    const targetNs = valueNs + 0.7 * (upperNs - valueNs);
    const { verdict, decidesAfterNs = 0, estimate } = judgeQuantile(calm, { q: 0.99, targetNs });
    expect(verdict).toBe('inconclusive');
    expect(estimate.lowerNs).toBeLessThan(targetNs);
    expect(decidesAfterNs).toBeGreaterThan(60e9);
    // Two thirds of the width are reached by about twice the time; that it decides in most cases takes some more.
    expect(decidesAfterNs).toBeLessThan(600e9);
    const longer = { durationS: Math.ceil(decidesAfterNs / 1e9), rateHz: 1000 };
    // A host that is as far from the target as this one seemed to be.
    const truthNs = (targetNs * P99_NS) / valueNs;
    const decided = Array.from({ length: 12 }, (_, i) => i).filter((seed) => {
      const blocks = independent().sample(seededRandom(seed), longer);
      const shares = new ObservedShares(latencyExceedances(blocks));
      return judgeQuantile(shares, { q: 0.99, targetNs: truthNs }).verdict === 'pass';
    });
    expect(decided.length).toBeGreaterThanOrEqual(6);
  });

  test('cannot be had at the quantile itself, however long the run', () => {
    // The bucket of the estimate: the share above is as near to 1 % as the samples allow.
    const { valueNs = 0 } = estimateQuantile(calm, 0.99);
    const { verdict, decidesAfterNs = Number.POSITIVE_INFINITY } = judgeQuantile(calm, { q: 0.99, targetNs: valueNs });
    expect(verdict).toBe('inconclusive');
    expect(decidesAfterNs).toBeGreaterThan(100 * 60e9);
  });

  test('of a quantile with too few samples is never pass, and asks for the samples', () => {
    const judged = judgeQuantile(calm, { q: 0.9999, targetNs: 1e9 });
    expect(judged.verdict).toBe('inconclusive');
    expect(judged.estimate.valueNs).toBeUndefined();
    expect(judged.why).toBe('only 6 events beyond the quantile, 100 make it usable');
    // 100 samples beyond P99.99 are 10 ** 6 samples, at 1 kHz 1000 s.
    expect((judged.decidesAfterNs ?? 0) / 1e9).toBeCloseTo(1000, 3);
  });

  test('is fail also for a quantile that is n/a when all that was seen is beyond the target', () => {
    expect(judgeQuantile(calm, { q: 0.9999, targetNs: 100 })).toMatchObject({ verdict: 'fail', shareAbove: 1 });
  });

  test('says so when the run is too short to tell how long a run must be', () => {
    const slow = sharesOf(drifting(5), { durationS: 10, rateHz: 1000 });
    const judged = judgeQuantile(slow, { q: 0.5, targetNs: 2000 });
    expect(judged).toMatchObject({ verdict: 'inconclusive', decidesAfterNs: undefined });
    expect(judged.why).toBe(
      'the latency changes so slowly that the run is too short, and it does not tell how long a run must be',
    );
  });
});

describe('a quantile', () => {
  test('with few stalls beyond it is n/a though thousands of samples are', () => {
    const stalls = sharesOf(markovStalls(0.05, 1), { durationS: 10, rateHz: 10_000 });
    const { valueNs, upperNs, independentEvents, why } = estimateQuantile(stalls, 0.99);
    expect({ valueNs, upperNs, why }).toEqual({
      valueNs: undefined,
      upperNs: Number.POSITIVE_INFINITY,
      why: 'too few independent events beyond the quantile',
    });
    expect(independentEvents).toBeLessThan(20);
  });

  test('of samples of one value is that value', () => {
    const histogram = new Histogram();
    histogram.record(500, 1000);
    const blocks = Array.from({ length: 100 }, (_, i) => histogram.toBlock({ startNs: i * 1e8, durationNs: 1e8 }));
    const estimate = estimateQuantile(latencyExceedances(blocks), 0.99);
    expect(estimate).toMatchObject({ valueNs: 500, lowerNs: 500, upperNs: 500 });
  });

  test('of very few blocks is n/a', () => {
    const blocks = independent().sample(seededRandom(1), { durationS: 1, rateHz: 10_000 });
    expect(estimateQuantile(latencyExceedances(blocks), 0.5).valueNs).toBeUndefined();
  });

  test('of nothing is an error', () => {
    expect(() => latencyExceedances([])).toThrow('there are no samples to judge');
  });
});

describe('the maximum', () => {
  test('is exact, with how long was watched and what that excludes', () => {
    const seen = new Histogram();
    for (const value of [3, 123_456_789]) seen.record(value);
    const blocks = [seen, new Histogram()].map((part, i) => part.toBlock({ startNs: i * 1e8, durationNs: 1e8 }));
    expect(maximumOf(blocks)).toEqual({
      minNs: 3,
      maxNs: 123_456_789,
      count: 2,
      exposureNs: 2e8,
      unseenPerSecondMax: -Math.log(0.05) / 0.2,
    });
  });

  test('an event never seen in a minute comes less than three times a minute', () => {
    expect(unseenPerSecondMax(60e9) * 60).toBeCloseTo(2.996, 3);
  });
});
