import type { Exceedances } from '../../src/latency/statistics/exceedances.ts';
import { lastWhere } from '../../src/latency/statistics/exceedances.ts';
import type { Random } from '../../src/latency/statistics/random.ts';

/**
 * The plain moving-block bootstrap of a quantile with the percentile interval: the usual method, here only to be compared with.
 * Runs of `length` consecutive blocks are drawn until the series is as long as it was.
 */
export function percentileBootstrap(
  exceedances: Exceedances,
  q: number,
  { random, length, resamples }: { readonly random: Random; readonly length: number; readonly resamples: number },
): { lowerNs: number; upperNs: number } {
  const blocks = exceedances.weights.length;
  const sums = new Map<number, Float64Array>();
  const sumsAt = (threshold: number) => {
    let known = sums.get(threshold);
    if (known === undefined) {
      known = movingSums(exceedances.aboveByBlock(threshold), length);
      sums.set(threshold, known);
    }
    return known;
  };
  const weights = movingSums(exceedances.weights, length);
  const found: number[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    const starts = Array.from({ length: Math.ceil(blocks / length) }, () => random.below(blocks - length + 1));
    const total = starts.reduce((sum, start) => sum + (weights[start] as number), 0);
    const isAbove = (threshold: number) => {
      const at = sumsAt(threshold);
      return starts.reduce((sum, start) => sum + (at[start] as number), 0) > (1 - q) * total * (1 + 1e-12);
    };
    found.push(1 + lastWhere(exceedances.thresholds - 1, isAbove));
  }
  found.sort((a, b) => a - b);
  const at = (share: number) => found[Math.round(share * (resamples - 1))] as number;
  return { lowerNs: exceedances.valuesNs(at(0.025)).lowestNs, upperNs: exceedances.valuesNs(at(0.975)).highestNs };
}

function movingSums(values: Float64Array, length: number): Float64Array {
  const sums = new Float64Array(values.length - length + 1);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += (values[i] as number) - (i >= length ? (values[i - length] as number) : 0);
    if (i >= length - 1) sums[i - length + 1] = sum;
  }
  return sums;
}
