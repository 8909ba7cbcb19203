import type { Block } from './block.ts';
import { type BucketLayout, bucketOf, highestNs, lowestNs, PROBE_LAYOUT, sameBuckets } from './layout.ts';

/**
 * Counts of latencies in HdrHistogram's buckets, with exact count, sum, minimum and maximum beside them. Counts are exact up to
 * 2 ** 53. `exactExtremes` is false for what was read from an HDR log, whose payload knows only buckets: then minNs, maxNs and
 * sumNs are those of the buckets.
 */
export class Histogram {
  readonly layout: BucketLayout;
  count = 0;
  minNs = Number.POSITIVE_INFINITY;
  maxNs = 0;
  sumNs = 0;
  exactExtremes = true;
  #counts: Float64Array;

  constructor(layout: BucketLayout = PROBE_LAYOUT) {
    this.layout = layout;
    this.#counts = new Float64Array(Math.min(layout.bucketCount, PROBE_LAYOUT.bucketCount));
  }

  static ofBlocks(blocks: Iterable<Block>, layout: BucketLayout = PROBE_LAYOUT): Histogram {
    const histogram = new Histogram(layout);
    for (const block of blocks) histogram.addBlock(block);
    return histogram;
  }

  /** A histogram of counters alone: minimum, maximum and sum are those of the buckets. */
  static ofCounts(layout: BucketLayout, counts: Iterable<readonly [bucket: number, count: number]>): Histogram {
    const histogram = new Histogram(layout);
    for (const [bucket, count] of counts) {
      histogram.#addCount(bucket, count);
      const [lowest, highest] = [lowestNs(layout, bucket), highestNs(layout, bucket)];
      histogram.#addSummary({ count, minNs: lowest, maxNs: highest, sumNs: ((lowest + highest) / 2) * count });
    }
    histogram.exactExtremes = false;
    return histogram;
  }

  /** Counts a latency of whole ns. Throws RangeError outside the layout: the caller says what becomes of such a value. */
  record(valueNs: number, count = 1): void {
    const bucket = bucketOf(this.layout, valueNs);
    if (!(valueNs >= 0) || bucket >= this.layout.bucketCount) {
      throw new RangeError(`a latency of ${valueNs} ns is outside 0 to ${this.layout.highestTrackable}`);
    }
    this.#addCount(bucket, count);
    this.#addSummary({ count, minNs: valueNs, maxNs: valueNs, sumNs: valueNs * count });
  }

  addBlock(block: Block): void {
    block.buckets.forEach((bucket, i) => {
      this.#addCount(bucket, block.counts[i] ?? 0);
    });
    if (block.count > 0) this.#addSummary(block);
  }

  /** Adds what `other` counted. Throws RangeError when the buckets are not the same: counts cannot be moved exactly. */
  merge(other: Histogram): void {
    if (!sameBuckets(this.layout, other.layout)) {
      throw new RangeError(
        `a histogram of ${other.layout.significantDigits} digits has other buckets than one of ${this.layout.significantDigits}`,
      );
    }
    for (const [bucket, count] of other.recorded()) this.#addCount(bucket, count);
    if (other.count > 0) this.#addSummary(other);
    this.exactExtremes &&= other.exactExtremes;
  }

  /**
   * The smallest latency that at least the share `q` of the samples does not exceed, in ns: the highest value of its bucket, as
   * HdrHistogram answers, but never beyond the maximum. NaN when nothing was counted.
   */
  quantile(q: number): number {
    if (this.count === 0) return Number.NaN;
    let left = rankOf(q, this.count);
    for (const [bucket, count] of this.recorded()) {
      left -= count;
      if (left <= 0) return Math.min(highestNs(this.layout, bucket), this.maxNs);
    }
    return this.maxNs;
  }

  get meanNs(): number {
    return this.sumNs / this.count;
  }

  countAt(bucket: number): number {
    return this.#counts[bucket] ?? 0;
  }

  /** The counters that are not 0, ascending. */
  *recorded(): Generator<readonly [bucket: number, count: number]> {
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count > 0) yield [bucket, count];
    }
  }

  toBlock(time: { readonly startNs: number; readonly durationNs: number }): Block {
    const pairs = [...this.recorded()];
    return {
      ...time,
      count: this.count,
      minNs: this.count === 0 ? 0 : this.minNs,
      maxNs: this.maxNs,
      sumNs: this.sumNs,
      buckets: Uint32Array.from(pairs, ([bucket]) => bucket),
      counts: Float64Array.from(pairs, ([, count]) => count),
    };
  }

  #addCount(bucket: number, count: number): void {
    if (bucket >= this.#counts.length) this.#grow(bucket);
    this.#counts[bucket] = (this.#counts[bucket] as number) + count;
  }

  #grow(bucket: number): void {
    const grown = new Float64Array(Math.max(bucket + 1, Math.min(this.layout.bucketCount, 2 * this.#counts.length)));
    grown.set(this.#counts);
    this.#counts = grown;
  }

  #addSummary(more: Pick<Block, 'count' | 'minNs' | 'maxNs' | 'sumNs'>): void {
    this.count += more.count;
    this.sumNs += more.sumNs;
    this.minNs = Math.min(this.minNs, more.minNs);
    this.maxNs = Math.max(this.maxNs, more.maxNs);
  }
}

/** The rank of a quantile among `count` samples, from 1. `q * count` may lie one rounding above the whole number it is. */
export function rankOf(q: number, count: number): number {
  const exact = q * count;
  return Math.min(count, Math.max(1, Math.ceil(exact - exact * Number.EPSILON)));
}
