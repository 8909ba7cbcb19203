import { bucketOf, highestNs, lowestNs, PROBE_LAYOUT } from '../histogram/layout.ts';
import { ObservedShares, observeShare } from './effective-size.ts';
import { type Exceedances, lastWhere } from './exceedances.ts';
import { unseenPerSecondMax } from './maximum.ts';
import { estimateQuantile, type QuantileEstimate } from './quantile.ts';
import { shareInterval } from './share.ts';

/** A time in which the CPU did not run the probe, ns since the start of the run. */
export interface Gap {
  readonly startNs: number;
  readonly endNs: number;
}

/** What was watched. */
export interface GapExposure {
  /** The whole time of the measuring loop. */
  readonly exposureNs: number;
  /** The shortest gap that the loop sees. */
  readonly floorNs: number;
  /** Of the blocks that tell how gaps depend on each other. */
  readonly blockNs: number;
}

export interface Measured {
  readonly value: number;
  /** The 95 % interval. */
  readonly lower: number;
  readonly upper: number;
}

/** What gaps do to something that arrives at a random time: P(delay > x) = Σ max(0, gap - x) / exposure. */
export interface Jitter {
  readonly exposureNs: number;
  readonly gaps: number;
  readonly gapsPerSecond: Measured;
  readonly stolenShare: Measured;
  /** Exact; 0 when there was no gap. */
  readonly maxNs: number;
  /** The delay of a random arrival; 0 is "no gap that the loop sees". */
  readonly delay: readonly QuantileEstimate[];
}

/** Gaps ascend and do not overlap; parts outside the exposure are a bug. `quantiles` as 0.99. */
export function jitterOf(gaps: readonly Gap[], exposure: GapExposure, quantiles: readonly number[]): Jitter {
  const exceedances = delayExceedances(gaps, exposure);
  const shares = new ObservedShares(exceedances);
  const { exposureNs, floorNs } = exposure;
  const none = { value: 0, lower: 0 };
  const perSecondMax = unseenPerSecondMax(exposureNs);
  return {
    exposureNs,
    gaps: gaps.length,
    gapsPerSecond: gaps.length === 0 ? { ...none, upper: perSecondMax } : gapRate(gaps, exposure),
    // What was never seen is taken for as short as the loop sees; a single longer gap is bounded by the maximum alone.
    stolenShare: gaps.length === 0 ? { ...none, upper: (perSecondMax * floorNs) / 1e9 } : stolenShare(shares),
    maxNs: gaps.reduce((max, gap) => Math.max(max, gap.endNs - gap.startNs), 0),
    delay: quantiles.map((q) => estimateQuantile(shares, q)),
  };
}

function stolenShare(shares: ObservedShares): Measured {
  const observed = shares.at(0);
  return { value: observed.share, ...shareInterval(observed) };
}

function gapRate(gaps: readonly Gap[], { exposureNs, blockNs }: GapExposure): Measured {
  const weights = blockWeights(exposureNs, blockNs);
  const byBlock = new Float64Array(weights.length);
  for (const { startNs } of gaps) {
    const block = Math.min(weights.length - 1, Math.floor(startNs / blockNs));
    byBlock[block] = (byBlock[block] as number) + 1;
  }
  // A rate is a share of very many instants, each of which has an event or not.
  const total = exposureNs;
  const { lower, upper } = shareInterval(observeShare({ byBlock, weights, total, sizeMax: exposureNs }));
  return { value: (gaps.length / exposureNs) * 1e9, lower: lower * 1e9, upper: upper * 1e9 };
}

/** Independent gaps beyond a quantile that make it usable. */
const GAPS_BEYOND_MIN = 10;

/**
 * The delays of random arrivals as exceedances: the weight of a block is its time. Threshold 0 is a delay of 0; the others
 * are the buckets of the histogram, which is the resolution of the answer. Throws RangeError when nothing was watched.
 */
export function delayExceedances(gaps: readonly Gap[], { exposureNs, floorNs, blockNs }: GapExposure): Exceedances {
  if (!(exposureNs > 0)) throw new RangeError('no time was watched');
  const lengths = Float64Array.from(gaps, (gap) => gap.endNs - gap.startNs).sort();
  const sums = suffixSums(lengths);
  const maxNs = lengths.at(-1) ?? 0;
  const first = bucketOf(PROBE_LAYOUT, Math.min(floorNs, lengths[0] ?? floorNs));
  const thresholds = gaps.length === 0 ? 1 : bucketOf(PROBE_LAYOUT, maxNs) - first + 2;
  const bucketAt = (threshold: number) => first + threshold - 1;
  const valueNs = (threshold: number) =>
    threshold === 0 ? 0 : Math.min(maxNs, highestNs(PROBE_LAYOUT, bucketAt(threshold)));
  const longer = (threshold: number) =>
    lastWhere(lengths.length, (i) => (lengths[i] as number) <= valueNs(threshold)) + 1;
  const above = (threshold: number) => {
    const from = longer(threshold);
    return (sums[from] as number) - (lengths.length - from) * valueNs(threshold);
  };
  return {
    thresholds,
    weights: blockWeights(exposureNs, blockNs),
    total: exposureNs,
    durationNs: exposureNs,
    valuesNs: (threshold) => ({
      lowestNs: threshold === 0 ? 0 : lowestNs(PROBE_LAYOUT, bucketAt(threshold)),
      highestNs: valueNs(threshold),
    }),
    above,
    aboveByBlock: (threshold) => delayedTime(gaps, { exposureNs, blockNs, delayNs: valueNs(threshold) }),
    independentAtMost: (threshold) => {
      if (gaps.length === 0) return exposureNs / floorNs;
      const share = above(threshold) / exposureNs;
      return share > 0 ? (lengths.length - longer(threshold)) / share : Number.POSITIVE_INFINITY;
    },
    eventsMin: GAPS_BEYOND_MIN,
    thresholdAt: (targetNs) => lastWhere(thresholds, (threshold) => valueNs(threshold) <= targetNs),
  };
}

function blockWeights(exposureNs: number, blockNs: number): Float64Array {
  const blocks = Math.ceil(exposureNs / blockNs);
  return Float64Array.from({ length: blocks }, (_, i) => Math.min(blockNs, exposureNs - i * blockNs));
}

function suffixSums(lengths: Float64Array): Float64Array {
  const sums = new Float64Array(lengths.length + 1);
  for (let i = lengths.length - 1; i >= 0; i--) sums[i] = (sums[i + 1] as number) + (lengths[i] as number);
  return sums;
}

/** How much of each block lies more than `delayNs` before the end of a gap. */
function delayedTime(
  gaps: readonly Gap[],
  { exposureNs, blockNs, delayNs }: { exposureNs: number; blockNs: number; delayNs: number },
): Float64Array {
  const time = new Float64Array(Math.ceil(exposureNs / blockNs));
  for (const { startNs, endNs } of gaps) {
    const untilNs = endNs - delayNs;
    // A gap that is no longer than the delay delays nothing by more.
    if (untilNs <= startNs) continue;
    for (let block = Math.floor(startNs / blockNs); block * blockNs < untilNs; block++) {
      const fromNs = Math.max(startNs, block * blockNs);
      time[block] = (time[block] ?? 0) + Math.min(untilNs, (block + 1) * blockNs) - fromNs;
    }
  }
  return time;
}
