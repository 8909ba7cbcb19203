import { type Exceedances, lastWhere } from '../statistics/exceedances.ts';

/** What share of the samples lies above a latency, at even steps of a logarithmic axis: all that a percentile plot draws. */
export type CurvePoint = readonly [above: number, ns: number];

/** Shares of the samples by latency, on a logarithmic axis. */
export interface Bins {
  /** The lower end of the first is 10 ** (first / BINS_PER_DECADE) ns. */
  readonly first: number;
  /** Of all samples, one for each bin up to the maximum. */
  readonly shares: readonly number[];
}

const POINTS_PER_DECADE = 12;
export const BINS_PER_DECADE = 6;
/** A delay has a share for every instant, however short: what is seldomer is drawn as the maximum. */
const SMALLEST_SHARE = 1e-7;

/** From the share 1 down to that of one sample, where it is the maximum. At most 86 points, whatever the run. */
export function curveOf(exceedances: Exceedances, maxNs: number): CurvePoint[] {
  const { total, thresholds, above, valuesNs } = exceedances;
  const points: CurvePoint[] = [];
  for (let step = 0; ; step++) {
    const share = 10 ** (-step / POINTS_PER_DECADE);
    if (share * total < 1 || share < SMALLEST_SHARE) break;
    const threshold = lastWhere(thresholds, (at) => above(at) > share * total) + 1;
    const ns = Math.min(maxNs, valuesNs(Math.min(threshold, thresholds - 1)).highestNs);
    points.push([Number(share.toPrecision(4)), Math.round(ns)]);
    if (ns >= maxNs) return points;
  }
  return [...points, [Number(Math.max(1 / total, SMALLEST_SHARE).toPrecision(4)), Math.round(maxNs)]];
}

/** What lies at 0 is in no bin: of a delay it is the time in which nothing waits. */
export function binsOf({ total, above, thresholdAt, valuesNs }: Exceedances, maxNs: number): Bins {
  if (maxNs < 1) return { first: 0, shares: [] };
  const aboveNs = (ns: number) => {
    const threshold = thresholdAt(ns);
    return threshold < 0 ? total : above(threshold);
  };
  const lowestNs = Math.max(1, valuesNs(0).lowestNs);
  const [first, last] = [binAt(lowestNs), binAt(maxNs)];
  const shares: number[] = [];
  for (let bin = first; bin <= last; bin++) {
    const highest = bin === last ? maxNs : edgeNs(bin + 1);
    const lowest = bin === first ? lowestNs - 1 : edgeNs(bin);
    const share = (aboveNs(lowest) - aboveNs(highest)) / total;
    shares.push(Number(Math.max(0, share).toPrecision(3)));
  }
  const lowest = shares.findIndex((share) => share > 0);
  if (lowest < 0) return { first: 0, shares: [] };
  return { first: first + lowest, shares: shares.slice(lowest, shares.findLastIndex((share) => share > 0) + 1) };
}

function edgeNs(bin: number): number {
  return 10 ** (bin / BINS_PER_DECADE);
}

function binAt(ns: number): number {
  return Math.floor(Math.log10(ns) * BINS_PER_DECADE + 1e-9);
}
