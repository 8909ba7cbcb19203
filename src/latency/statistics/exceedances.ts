import type { Block } from '../histogram/block.ts';
import { type BucketLayout, highestNs, lowestNs, PROBE_LAYOUT } from '../histogram/layout.ts';

/**
 * How much of each block lies above each of a row of ascending thresholds: what all intervals are computed from. The weight of a
 * block is its number of samples, or its time where every instant is a sample (the delay of a random arrival).
 */
export interface Exceedances {
  /** Thresholds are 0 to `thresholds - 1`. */
  readonly thresholds: number;
  readonly weights: Float64Array;
  readonly total: number;
  /** Time observed, ns: what a duration that would decide is a multiple of. */
  readonly durationNs: number;
  /** The values that fall to this threshold, lowest and highest, ns. */
  readonly valuesNs: (threshold: number) => { readonly lowestNs: number; readonly highestNs: number };
  /** Weight above the threshold, of all blocks. */
  readonly above: (threshold: number) => number;
  /** Weight above the threshold, block by block. */
  readonly aboveByBlock: (threshold: number) => Float64Array;
  /** As many independent observations as there can be at best: the samples, or for time what the gaps above make. */
  readonly independentAtMost: (threshold: number) => number;
  /** Fewer events beyond a quantile than this, and it hangs on single ones: n/a. */
  readonly eventsMin: number;
  /** The last threshold whose values are all at most this, -1 when there is none. */
  readonly thresholdAt: (valueNs: number) => number;
}

/** So many samples above a quantile make it usable. */
const SAMPLES_BEYOND_MIN = 100;

/** The exceedances of latencies, from the ordered blocks of one stream. Throws RangeError when there is no sample. */
export function latencyExceedances(blocks: readonly Block[], layout: BucketLayout = PROBE_LAYOUT): Exceedances {
  const weights = Float64Array.from(blocks, (block) => block.count);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) throw new RangeError('there are no samples to judge');
  const pooled = pooledCounts(blocks);
  const buckets = Uint32Array.from(pooled.keys()).sort();
  const above = suffixSums(Float64Array.from(buckets, (bucket) => pooled.get(bucket) as number));
  const suffixes = blocks.map((block) => suffixSums(block.counts));
  const maxNs = blocks.reduce((max, block) => Math.max(max, block.maxNs), 0);
  const bucketAt = (threshold: number) => buckets[threshold] as number;
  return {
    thresholds: buckets.length,
    weights,
    total,
    durationNs: blocks.reduce((sum, block) => sum + block.durationNs, 0),
    valuesNs: (threshold) => ({
      lowestNs: lowestNs(layout, bucketAt(threshold)),
      highestNs: Math.min(maxNs, highestNs(layout, bucketAt(threshold))),
    }),
    above: (threshold) => above[threshold + 1] as number,
    aboveByBlock: (threshold) => {
      const bucket = bucketAt(threshold);
      return Float64Array.from(blocks, (block, i) => suffixes[i]?.[firstAbove(block.buckets, bucket)] as number);
    },
    independentAtMost: () => total,
    eventsMin: SAMPLES_BEYOND_MIN,
    thresholdAt: (valueNs) =>
      lastWhere(buckets.length, (i) => Math.min(maxNs, highestNs(layout, bucketAt(i))) <= valueNs),
  };
}

function pooledCounts(blocks: readonly Block[]): Map<number, number> {
  const pooled = new Map<number, number>();
  for (const { buckets, counts } of blocks) {
    for (let i = 0; i < buckets.length; i++) {
      const bucket = buckets[i] as number;
      pooled.set(bucket, (pooled.get(bucket) ?? 0) + (counts[i] as number));
    }
  }
  return pooled;
}

/** `sums[i]` is the sum of `counts` from i on; one longer than `counts`. */
function suffixSums(counts: Uint32Array | Float64Array): Float64Array {
  const sums = new Float64Array(counts.length + 1);
  for (let i = counts.length - 1; i >= 0; i--) sums[i] = (sums[i + 1] as number) + (counts[i] as number);
  return sums;
}

/** The first index whose entry is above `bucket`; `buckets` ascends. */
function firstAbove(buckets: Uint32Array, bucket: number): number {
  return lastWhere(buckets.length, (i) => (buckets[i] as number) <= bucket) + 1;
}

/** The last of 0 to `length - 1` for which `holds` is true, -1 for none; it holds up to some index and not after. */
export function lastWhere(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [-1, length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
