import { dependenceOf } from './dependence.ts';
import { studentTwoSided } from './distributions.ts';
import type { Exceedances } from './exceedances.ts';

export const CONFIDENCE = 0.95;
const NORMAL_TWO_SIDED = 1.959963984540054;

/** A threshold as seen from the samples: the share above it and how many independent observations that share is worth. */
export interface Observed {
  readonly share: number;
  /** NaN when nothing or everything is above: then nothing varies. May by chance be above what there is. */
  readonly size: number;
  /** As many as there can be at best. */
  readonly sizeMax: number;
  readonly degreesOfFreedom: number;
}

/** Shares above thresholds, each computed once. */
export class ObservedShares {
  readonly exceedances: Exceedances;
  readonly #known = new Map<number, Observed>();

  constructor(exceedances: Exceedances) {
    this.exceedances = exceedances;
  }

  at(threshold: number): Observed {
    let observed = this.#known.get(threshold);
    if (observed === undefined) {
      observed = observe(this.exceedances, threshold);
      this.#known.set(threshold, observed);
    }
    return observed;
  }
}

/** A regular disturbance makes samples worth more than independent ones; so much of it is believed before Student's quantile. */
const GAIN_MAX = 20;

function observe(exceedances: Exceedances, threshold: number): Observed {
  const share = exceedances.above(threshold) / exceedances.total;
  const sizeMax = exceedances.independentAtMost(threshold);
  if (share <= 0 || share >= 1) return { share, size: Number.NaN, sizeMax, degreesOfFreedom: Number.POSITIVE_INFINITY };
  return observeShare({ ...exceedances, byBlock: exceedances.aboveByBlock(threshold), sizeMax });
}

/** A difference that small is one of rounding; taken for real it would look like a slow wave. */
const ROUNDING = 1e-9;

/** A share of the total weight, from what each block has of it; neither 0 nor all. */
export function observeShare(series: {
  readonly byBlock: Float64Array;
  readonly weights: Float64Array;
  readonly total: number;
  readonly sizeMax: number;
}): Observed {
  const { byBlock, weights, total, sizeMax } = series;
  const share = byBlock.reduce((sum, part) => sum + part, 0) / total;
  const { variance, degreesOfFreedom } = dependenceOf(
    byBlock.map((part, i) => {
      const expected = share * (weights[i] as number);
      return Math.abs(part - expected) < ROUNDING * expected ? 0 : part - expected;
    }),
  );
  const size = Math.min((share * (1 - share) * total * total) / variance, GAIN_MAX * sizeMax);
  return { share, size, sizeMax, degreesOfFreedom };
}

/**
 * The estimated size scatters around the true one. Cut at what there can be at best it would be too small on average, and
 * intervals of independent samples wider than they must be; so much above is left to chance.
 */
const SIZE_MARGIN = 1.5;

/**
 * The number of independent observations to test a share of `p` at a threshold with: the smaller of what the threshold itself and
 * what the estimate of the quantile show, made smaller by what is not known about it (Korn and Graubard 1998: by the square of
 * Student's to the normal quantile). Few events also mean a poorly known variance, so they count as degrees of freedom too. 0
 * when the run is too short for its own dependence.
 */
export function testSize(at: Observed, reference: Observed, p: number): number {
  const sizes = [at.size, reference.size].filter((size) => !Number.isNaN(size));
  const size = Math.min(...sizes);
  const known = Math.min(at.degreesOfFreedom, reference.degreesOfFreedom);
  if (!(size > 0) || known === 0 || !Number.isFinite(size)) return 0;
  const events = size * Math.min(p, 1 - p);
  const degrees = Math.max(1, 1 / (1 / known + 1 / events));
  const sized = size / (studentQuantile(degrees) / NORMAL_TWO_SIDED) ** 2;
  return Math.min(sized, SIZE_MARGIN * Math.min(at.sizeMax, reference.sizeMax));
}

function studentQuantile(degrees: number): number {
  return degrees > 1000 ? NORMAL_TWO_SIDED : studentTwoSided(degrees, CONFIDENCE);
}
