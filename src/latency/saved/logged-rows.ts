import type { Block } from '../histogram/block.ts';
import { type BucketLayout, highestNs, lowestNs } from '../histogram/layout.ts';
import { intervalsOfTag, type ReadInterval } from '../histogram/log-read.ts';
import { gapsOfBlocks } from '../report/gaps.ts';
import { type ComparedRun, SAMPLES_BEYOND_MIN } from '../statistics/compare.ts';
import { ObservedShares } from '../statistics/effective-size.ts';
import { type Exceedances, latencyExceedances } from '../statistics/exceedances.ts';
import { delayExceedances } from '../statistics/jitter.ts';
import { estimateFrom, eventsBeyond, QuantileTest } from '../statistics/quantile.ts';
import type { Bounds } from './baseline.ts';

/** One stream of a run, ready to be compared. */
export interface ComparableRow extends ComparedRun {
  /** With its interval by what the samples of this run tell; undefined when they do not. */
  readonly estimate: (q: number) => Bounds | undefined;
}

/** What the log itself does not say of a stream. */
export interface StreamKind {
  readonly quantity: 'latency' | 'delay';
  readonly floorNs: number;
}

/** The intervals of one tag as blocks, one after the other. `maxNs` and the like are those of buckets. */
export function blocksOf(intervals: readonly ReadInterval[]): Block[] {
  let startNs = 0;
  return intervals.map(({ durationNs, histogram }) => {
    const block = histogram.toBlock({ startNs, durationNs });
    startNs += durationNs;
    return block;
  });
}

/** undefined when there is nothing to compare: no sample, no time. Throws HdrLogError for intervals of different resolution. */
export function comparableRow(
  all: readonly ReadInterval[],
  place: { readonly file: string; readonly tag: string | undefined },
  kind: StreamKind,
): ComparableRow | undefined {
  const { layout, intervals } = intervalsOfTag(all, place);
  const exceedances = exceedancesOf(blocksOf(intervals), layout, kind);
  if (exceedances === undefined) return undefined;
  const shares = new ObservedShares(exceedances);
  return {
    floorNs: Math.max(kind.floorNs, layout.unitNs),
    quantile: (q) => quantileOf(new QuantileTest(shares, q)),
    estimate(q) {
      const { valueNs, lowerNs, upperNs } = estimateFrom(new QuantileTest(shares, q), q);
      if (valueNs === undefined) return undefined;
      return { value: valueNs, lower: lowerNs, upper: Number.isFinite(upperNs) ? upperNs : undefined };
    },
  };
}

function quantileOf(test: QuantileTest): number | undefined {
  if (eventsBeyond(test) < SAMPLES_BEYOND_MIN) return undefined;
  return test.shares.exceedances.valuesNs(test.estimate).highestNs;
}

/** undefined when there is no sample, or no time of gaps. Of gaps: the delay of a random arrival. */
export function exceedancesOf(
  blocks: readonly Block[],
  layout: BucketLayout,
  { quantity, floorNs }: StreamKind,
): Exceedances | undefined {
  if (quantity === 'latency') {
    return blocks.some(({ count }) => count > 0) ? latencyExceedances(blocks, layout) : undefined;
  }
  const gaps = gapsOfBlocks(blocks, (bucket) => (lowestNs(layout, bucket) + highestNs(layout, bucket)) / 2);
  const watchedNs = blocks.reduce((sum, { durationNs }) => sum + durationNs, 0);
  if (watchedNs === 0) return undefined;
  const exposureNs = gaps.reduce((latest, { endNs }) => Math.max(latest, endNs), watchedNs);
  return delayExceedances(gaps, { exposureNs, floorNs, blockNs: watchedNs / blocks.length });
}

/** jitter's loop sees no shorter gap; what its own log does not say. */
const GAP_FLOOR_NS = 1000;

/** What a stream of a log is, by its tag: hft's own logs have the gaps of jitter in them, whose delay is compared. */
export function kindOfTag(tag: string | undefined): StreamKind {
  return tag !== undefined && /^jitter\/(.+\/)?gaps$/.test(tag)
    ? { quantity: 'delay', floorNs: GAP_FLOOR_NS }
    : { quantity: 'latency', floorNs: 1 };
}

/** The tags of a log that are compared: not the closed loop that stands beside an open one. undefined: no tag. */
export function comparedTags(intervals: readonly ReadInterval[]): (string | undefined)[] {
  const tags = new Set(intervals.map(({ tag }) => tag));
  return [...tags].filter((tag) => {
    const place = /^(?<place>.+)\/(closed|service)$/.exec(tag ?? '')?.groups?.place;
    return place === undefined || !tags.has(`${place}/open`);
  });
}
