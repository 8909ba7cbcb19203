import fc from 'fast-check';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { Histogram, rankOf } from '../../../src/latency/histogram/histogram.ts';
import { bucketLayout, bucketOf, highestNs, lowestNs, PROBE_LAYOUT } from '../../../src/latency/histogram/layout.ts';
import { encodePayload } from '../../../src/latency/histogram/payload.ts';
import { decodePayload } from '../../../src/latency/histogram/payload-read.ts';

const SECONDS_10 = 10_000_000_000;

/** The peer, told to keep 64-bit counts: its default goes silently wrong from 2 ** 32 on. */
function peer(layout = PROBE_LAYOUT) {
  return build({
    bitBucketSize: 64,
    lowestDiscernibleValue: layout.lowestDiscernible,
    highestTrackableValue: layout.highestTrackable,
    numberOfSignificantValueDigits: layout.significantDigits as 1 | 2 | 3 | 4 | 5,
  });
}

describe('buckets', () => {
  test('are those of HdrHistogram for one hour in ns at three digits', () => {
    expect([PROBE_LAYOUT.subBucketBits, PROBE_LAYOUT.unitBits, PROBE_LAYOUT.bucketCount]).toEqual([11, 0, 33_792]);
    expect([2047, 2048, 2049, 2050, 4095, 4096].map((value) => bucketOf(PROBE_LAYOUT, value))).toEqual([
      2047, 2048, 2048, 2049, 3071, 3072,
    ]);
    expect(bucketOf(PROBE_LAYOUT, 3_600_000_000_000)).toBeLessThan(33_792);
  });

  test.each([1, 2, 3, 4, 5])(
    'with %d digits every value is in the bucket whose range holds it',
    (significantDigits) => {
      const layout = bucketLayout({ lowestDiscernible: 1000, significantDigits, highestTrackable: 2 ** 50 });
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (value) => {
          const bucket = bucketOf(layout, value);
          expect(lowestNs(layout, bucket)).toBeLessThanOrEqual(value);
          expect(highestNs(layout, bucket)).toBeGreaterThanOrEqual(value);
          expect(bucketOf(layout, highestNs(layout, bucket) + 1)).toBe(bucket + 1);
        }),
      );
    },
  );

  test.each([
    [{ lowestDiscernible: 1, significantDigits: 6, highestTrackable: 1e6 }, 'significant digits must be 1 to 5, got 6'],
    [
      { lowestDiscernible: 0, significantDigits: 3, highestTrackable: 1e6 },
      'the lowest value must be at least 1, got 0',
    ],
    [{ lowestDiscernible: 10, significantDigits: 3, highestTrackable: 19 }, 'at least twice the lowest, got 19'],
  ])('%j is no layout', (limits, message) => {
    expect(() => bucketLayout(limits)).toThrow(message);
  });
});

describe('a histogram', () => {
  test('keeps count, extremes and sum exactly', () => {
    const histogram = new Histogram();
    for (const value of [12_345_678, 7, 9_999_999_999]) histogram.record(value);
    const { count, minNs, maxNs, sumNs } = histogram;
    expect({ count, minNs, maxNs, sumNs }).toEqual({ count: 3, minNs: 7, maxNs: 9_999_999_999, sumNs: 10_012_345_684 });
    expect(histogram.quantile(1)).toBe(9_999_999_999);
  });

  test('has no quantile without samples', () => {
    expect(new Histogram().quantile(0.5)).toBeNaN();
  });

  test('answers quantiles as the peer does, up to 10 s', () => {
    const values = fc.array(fc.integer({ min: 0, max: SECONDS_10 }), { minLength: 1, maxLength: 50 });
    const quantiles = fc.constantFrom(0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1);
    fc.assert(
      fc.property(values, quantiles, (latencies, q) => {
        const [ours, theirs] = [new Histogram(), peer()];
        for (const value of latencies) {
          ours.record(value);
          theirs.recordValue(value);
        }
        expect(ours.quantile(q)).toBe(Math.min(theirs.getValueAtPercentile(100 * q), Math.max(...latencies)));
      }),
    );
  });

  test.each([
    [0.99, 100, 99],
    [0.07, 100, 7],
    [0.9999, 10_000, 9999],
    [0.999, 1000, 999],
    [0.5, 3, 2],
    [0, 10, 1],
    [1, 10, 10],
  ])('the rank of %d among %d is %d, whatever the rounding of the product', (q, count, rank) => {
    expect(rankOf(q, count)).toBe(rank);
  });

  test('refuses values outside its layout', () => {
    expect(() => new Histogram().record(5e12)).toThrow('a latency of 5000000000000 ns is outside 0 to 3600000000000');
    expect(() => new Histogram().record(-1)).toThrow('a latency of -1 ns');
  });

  test('merged from blocks is the histogram of all samples', () => {
    const parts = [new Histogram(), new Histogram(), new Histogram()];
    const whole = new Histogram();
    for (let i = 0; i < 999; i++) {
      const value = (i * 7919) % 100_003;
      parts[i % 2]?.record(value);
      whole.record(value);
    }
    const blocks = parts.map((part, i) => part.toBlock({ startNs: i * 1e8, durationNs: 1e8 }));
    const merged = Histogram.ofBlocks(blocks);
    expect([...merged.recorded()]).toEqual([...whole.recorded()]);
    expect([merged.count, merged.minNs, merged.maxNs, merged.sumNs]).toEqual([
      999,
      whole.minNs,
      whole.maxNs,
      whole.sumNs,
    ]);
    const added = new Histogram();
    for (const part of parts) added.merge(part);
    expect([...added.recorded()]).toEqual([...whole.recorded()]);
  });

  test('of other digits cannot be merged', () => {
    const coarse = new Histogram(bucketLayout({ lowestDiscernible: 1, significantDigits: 2, highestTrackable: 1e9 }));
    expect(() => new Histogram().merge(coarse)).toThrow('a histogram of 2 digits has other buckets than one of 3');
  });
});

describe('the payload', () => {
  const COUNTS = fc.array(fc.tuple(fc.integer({ min: 0, max: SECONDS_10 }), fc.integer({ min: 1, max: 2 ** 45 })), {
    maxLength: 30,
  });

  test('is read by the peer', () => {
    fc.assert(
      fc.property(COUNTS, (counts) => {
        const ours = new Histogram();
        for (const [value, count] of counts) ours.record(value, count);
        const theirs = decodeFromCompressedBase64(encodePayload(ours), 64);
        expect(theirs.totalCount).toBe(ours.count);
        if (ours.count > 0) expect(theirs.maxValue).toBe(highestNs(PROBE_LAYOUT, bucketOf(PROBE_LAYOUT, ours.maxNs)));
        for (const q of [0.1, 0.5, 0.99]) {
          if (ours.count > 0) expect(Math.min(theirs.getValueAtPercentile(100 * q), ours.maxNs)).toBe(ours.quantile(q));
        }
      }),
      { numRuns: 40 },
    );
  });

  test.each([1, 2, 3, 4, 5])('of the peer with %d digits is read, in its own resolution', (significantDigits) => {
    const layout = bucketLayout({ lowestDiscernible: 1, significantDigits, highestTrackable: 60_000_000_000 });
    fc.assert(
      fc.property(COUNTS, (counts) => {
        const theirs = peer(layout);
        for (const [value, count] of counts) theirs.recordValueWithCount(value, count);
        const ours = decodePayload(encodeIntoCompressedBase64(theirs));
        expect(ours.count).toBe(theirs.totalCount);
        expect(ours.layout).toEqual(layout);
        for (const q of [0.1, 0.5, 0.99, 1]) {
          if (ours.count > 0) expect(ours.quantile(q)).toBe(theirs.getValueAtPercentile(100 * q));
        }
        expect(ours.exactExtremes).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  test('keeps counts beyond 2 ** 32 and the largest that a number holds', () => {
    const ours = new Histogram();
    ours.record(1000, 2 ** 40);
    ours.record(10_000_000_000, 2 ** 52);
    const back = decodePayload(encodePayload(ours));
    expect([back.countAt(bucketOf(PROBE_LAYOUT, 1000)), back.count]).toEqual([2 ** 40, 2 ** 52 + 2 ** 40]);
    expect(back.quantile(0.5)).toBe(highestNs(PROBE_LAYOUT, bucketOf(PROBE_LAYOUT, 10_000_000_000)));
  });

  test('of an empty histogram is empty, both ways', () => {
    expect(decodePayload(encodePayload(new Histogram())).count).toBe(0);
    expect(decodePayload(encodeIntoCompressedBase64(peer())).count).toBe(0);
    expect(decodeFromCompressedBase64(encodePayload(new Histogram()), 64).totalCount).toBe(0);
  });
});
