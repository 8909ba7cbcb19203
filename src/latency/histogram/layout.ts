/**
 * Which values share a counter: HdrHistogram's rule. Values below `2 ** subBucketBits` units have a counter each; above, each
 * doubling is cut into `2 ** (subBucketBits - 1)` counters of one width. The index here is the index of HdrHistogram's
 * counts array, so counters travel between the probe, this program and every HDR tool without translation.
 */
export interface BucketLayout {
  /** The smallest difference that is kept, in units of the recorded values. */
  readonly lowestDiscernible: number;
  /** Decimal digits kept of every value, 1 to 5. */
  readonly significantDigits: number;
  /** The largest value that has a counter, in units. */
  readonly highestTrackable: number;
  /** Low bits that are dropped of every value: floor(log2(lowestDiscernible)). */
  readonly unitBits: number;
  readonly subBucketBits: number;
  /** Length of the counts array. */
  readonly bucketCount: number;
  /** What one unit of the recorded values is, in ns: 1, but for logs of others. */
  readonly unitNs: number;
}

/** Most buckets that a layout may have, so that a broken header cannot ask for all memory: 5 digits up to 2 ** 63. */
const BUCKETS_MAX = 2 ** 23;

/** Throws RangeError when the limits make no layout; the text says which. */
export function bucketLayout(limits: {
  readonly lowestDiscernible: number;
  readonly significantDigits: number;
  readonly highestTrackable: number;
  readonly unitNs?: number;
}): BucketLayout {
  const { lowestDiscernible, significantDigits, highestTrackable, unitNs = 1 } = limits;
  if (!Number.isInteger(significantDigits) || significantDigits < 1 || significantDigits > 5) {
    throw new RangeError(`significant digits must be 1 to 5, got ${significantDigits}`);
  }
  if (!(lowestDiscernible >= 1)) throw new RangeError(`the lowest value must be at least 1, got ${lowestDiscernible}`);
  if (!(highestTrackable >= 2 * lowestDiscernible)) {
    throw new RangeError(`the highest value must be at least twice the lowest, got ${highestTrackable}`);
  }
  const unitBits = Math.floor(Math.log2(lowestDiscernible));
  const subBucketBits = Math.ceil(Math.log2(2 * 10 ** significantDigits));
  let doublings = 1;
  for (let limit = 2 ** (subBucketBits + unitBits); limit <= highestTrackable; limit *= 2) doublings += 1;
  const bucketCount = (doublings + 1) * 2 ** (subBucketBits - 1);
  if (bucketCount > BUCKETS_MAX)
    throw new RangeError(`${bucketCount} counters are needed, at most ${BUCKETS_MAX} are kept`);
  return { ...limits, unitNs, unitBits, subBucketBits, bucketCount };
}

/** What hft itself records: 1 ns to one hour, three digits, 33,792 counters. The probes in agents/probes have the same. */
export const PROBE_LAYOUT: BucketLayout = bucketLayout({
  lowestDiscernible: 1,
  significantDigits: 3,
  highestTrackable: 3_600_000_000_000,
});

/** Layouts that differ only in their highest value have the same indexes. */
export function sameBuckets(a: BucketLayout, b: BucketLayout): boolean {
  return a.unitBits === b.unitBits && a.subBucketBits === b.subBucketBits && a.unitNs === b.unitNs;
}

/** The index of the counter that `valueNs` belongs to. */
export function bucketOf(layout: BucketLayout, valueNs: number): number {
  const value = Math.floor(Math.floor(valueNs / layout.unitNs) / 2 ** layout.unitBits);
  if (value < 2 ** layout.subBucketBits) return value;
  const shift = floorLog2(value) - (layout.subBucketBits - 1);
  return shift * 2 ** (layout.subBucketBits - 1) + Math.floor(value / 2 ** shift);
}

/** The smallest value that is counted in this bucket. */
export function lowestNs(layout: BucketLayout, bucket: number): number {
  return span(layout, bucket).lowest * layout.unitNs;
}

/** The largest value that is counted in this bucket: "highest equivalent value" of HdrHistogram. */
export function highestNs(layout: BucketLayout, bucket: number): number {
  const { lowest, width } = span(layout, bucket);
  return (lowest + width - 1) * layout.unitNs;
}

function span(layout: BucketLayout, bucket: number): { lowest: number; width: number } {
  const half = 2 ** (layout.subBucketBits - 1);
  const shift = Math.max(0, Math.floor(bucket / half) - 1);
  const width = 2 ** (shift + layout.unitBits);
  return { lowest: (bucket - shift * half) * width, width };
}

/** Exact for every integer below 2 ** 53, where Math.log2 rounds up just below a power of two. */
function floorLog2(value: number): number {
  if (value < 2 ** 32) return 31 - Math.clz32(value);
  return 63 - Math.clz32(Math.floor(value / 2 ** 32));
}
