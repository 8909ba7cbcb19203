import { describe, expect, test } from 'vitest';
import { ObservedShares } from '../../../src/latency/statistics/effective-size.ts';
import { delayExceedances, type Gap, jitterOf } from '../../../src/latency/statistics/jitter.ts';
import { seededRandom } from '../../../src/latency/statistics/random.ts';
import { judgeQuantile } from '../../../src/latency/statistics/verdict.ts';
import { exponential } from '../../simulation/streams.ts';

const EXPOSURE = { exposureNs: 60e9, floorNs: 1000, blockNs: 1e8 };

/** A gap of `lengthNs` every `periodNs`. */
function regular(periodNs: number, lengthNs: number, exposureNs = EXPOSURE.exposureNs): Gap[] {
  return Array.from({ length: Math.floor(exposureNs / periodNs) }, (_, i) => ({
    startNs: (i + 0.5) * periodNs,
    endNs: (i + 0.5) * periodNs + lengthNs,
  }));
}

/** Gaps at random, `perSecond` of `meanNs` on average, both exponential. */
function random(seed: number, { perSecond, meanNs }: { perSecond: number; meanNs: number }): Gap[] {
  const source = seededRandom(seed);
  const gaps: Gap[] = [];
  for (let endNs = 0; ; ) {
    const startNs = endNs + exponential(source, 1e9 / perSecond);
    endNs = startNs + exponential(source, meanNs);
    if (endNs > EXPOSURE.exposureNs) return gaps;
    gaps.push({ startNs, endNs });
  }
}

describe('the delay of a random arrival', () => {
  test('is what is left of the gap that it falls into: 200 us every 10 ms', () => {
    const jitter = jitterOf(regular(10e6, 200e3), EXPOSURE, [0.5, 0.99, 0.999]);
    expect(jitter).toMatchObject({ gaps: 6000, maxNs: 200_000 });
    expect(jitter.gapsPerSecond.value).toBeCloseTo(100, 9);
    expect(jitter.stolenShare.value).toBeCloseTo(0.02, 9);
    // 2 % are in a gap, so P99 is the middle of a gap and P99.9 its 5 % from the start.
    const [half, p99, p999] = jitter.delay.map(({ valueNs }) => valueNs ?? Number.NaN);
    expect(half).toBe(0);
    expect((p99 ?? 0) / 100_000).toBeCloseTo(1, 2);
    expect((p999 ?? 0) / 190_000).toBeCloseTo(1, 2);
  });

  test('adds up over blocks that a gap spans', () => {
    const gaps = [{ startNs: 0.95e8, endNs: 2.55e8 }];
    const delays = delayExceedances(gaps, { exposureNs: 3.5e8, floorNs: 1000, blockNs: 1e8 });
    expect([...delays.weights]).toEqual([1e8, 1e8, 1e8, 5e7]);
    expect([...delays.aboveByBlock(0)]).toEqual([5e6, 1e8, 5.5e7, 0]);
    const later = delays.thresholdAt(1e8);
    const sum = delays.aboveByBlock(later).reduce((total, time) => total + time, 0);
    expect(sum).toBeCloseTo(delays.above(later), 3);
    expect(delays.above(later) / 6e7).toBeCloseTo(1, 1);
  });

  test('has nothing of the gaps that are shorter, wherever in their block they lie', () => {
    const gaps = [
      { startNs: 0.3e8, endNs: 0.5e8 },
      { startNs: 0.9e8, endNs: 0.9e8 + 2000 },
      { startNs: 1.7e8, endNs: 1.7e8 + 5000 },
    ];
    const delays = delayExceedances(gaps, { exposureNs: 2e8, floorNs: 1000, blockNs: 1e8 });
    const later = delays.thresholdAt(1e7);
    const byBlock = delays.aboveByBlock(later);
    expect(byBlock[1]).toBe(0);
    expect(byBlock[0]).toBeCloseTo(delays.above(later), 0);
  });

  test('is 0 at every usual quantile when gaps are rare and short', () => {
    const jitter = jitterOf(regular(1e9, 5000), EXPOSURE, [0.99, 0.9999]);
    expect(jitter.delay).toMatchObject([
      { valueNs: 0, upperNs: 0 },
      { valueNs: 0, upperNs: 0 },
    ]);
  });

  test('is judged as a latency is', () => {
    const shares = new ObservedShares(delayExceedances(regular(10e6, 200e3), EXPOSURE));
    expect(judgeQuantile(shares, { q: 0.99, targetNs: 150_000 }).verdict).toBe('pass');
    expect(judgeQuantile(shares, { q: 0.99, targetNs: 50_000 }).verdict).toBe('fail');
  });

  test('is n/a where it hangs on a handful of gaps', () => {
    const jitter = jitterOf(regular(20e9, 50e6), EXPOSURE, [0.999]);
    expect(jitter.gaps).toBe(3);
    expect(jitter.delay[0]?.valueNs).toBeUndefined();
  });
});

test('without a gap everything is 0 and the rule of three bounds the rate', () => {
  const jitter = jitterOf([], EXPOSURE, [0.9999]);
  expect(jitter).toMatchObject({
    gaps: 0,
    maxNs: 0,
    stolenShare: { value: 0, lower: 0 },
    gapsPerSecond: { value: 0, lower: 0 },
  });
  expect(jitter.gapsPerSecond.upper).toBeCloseTo(2.996 / 60, 4);
  expect(jitter.delay[0]).toMatchObject({ valueNs: 0, upperNs: 0 });
});

test('nothing watched is an error', () => {
  expect(() => jitterOf([], { ...EXPOSURE, exposureNs: 0 }, [0.5])).toThrow('no time was watched');
});

test('intervals of rate, share and delay hold for gaps at random', () => {
  const [perSecond, meanNs] = [5, 2e6];
  // Of a renewal process: on average one gap per quiet and stolen time.
  const rate = 1e9 / (1e9 / perSecond + meanNs);
  const share = (rate * meanNs) / 1e9;
  const q = 0.999;
  const delayNs = meanNs * Math.log(share / (1 - q));
  const held = { rate: 0, share: 0, delay: 0 };
  const runs = 150;
  for (let seed = 1; seed <= runs; seed++) {
    const jitter = jitterOf(random(seed, { perSecond, meanNs }), EXPOSURE, [q]);
    const { gapsPerSecond, stolenShare } = jitter;
    const [delay] = jitter.delay;
    if (gapsPerSecond.lower <= rate && rate <= gapsPerSecond.upper) held.rate++;
    if (stolenShare.lower <= share && share <= stolenShare.upper) held.share++;
    if (delay !== undefined && delay.lowerNs <= delayNs && delayNs <= delay.upperNs) held.delay++;
  }
  for (const count of Object.values(held))
    expect(count).toBeGreaterThanOrEqual(runs * (0.93 - 3 * Math.sqrt((0.93 * 0.07) / runs)));
}, 120_000);
