import { type Observed, ObservedShares, testSize } from './effective-size.ts';
import { type Exceedances, lastWhere } from './exceedances.ts';
import { isShareAbove, isShareBelow } from './share.ts';

/** A quantile with its 95 % interval. docs/latency-statistics.md says how it is made and how often it holds. */
export interface QuantileEstimate {
  readonly q: number;
  /** ns; undefined is "n/a": the samples do not tell, and `why` says what is missing. */
  readonly valueNs: number | undefined;
  /** The quantile is at least this; 0 when the samples give no bound. Holds also when the value is n/a. */
  readonly lowerNs: number;
  /** The quantile is at most this; Infinity (null in JSON) when the samples give no bound. */
  readonly upperNs: number;
  /** How many independent events above the quantile (below, for q under a half) the samples are worth. */
  readonly independentEvents: number;
  readonly why: string | undefined;
}

/** Tests whether the share above a threshold is the one that a quantile has. */
export class QuantileTest {
  readonly shares: ObservedShares;
  /** P(latency > quantile). */
  readonly p: number;
  /** The threshold of the estimate. */
  readonly estimate: number;
  /** What tells about dependence near the quantile. */
  readonly reference: Observed;

  constructor(shares: ObservedShares, q: number) {
    const { exceedances } = shares;
    this.shares = shares;
    this.p = 1 - q;
    // One rounding of 1 - q must not move the rank.
    const allowed = this.p * exceedances.total * (1 + 1e-12);
    this.estimate = 1 + lastWhere(exceedances.thresholds - 1, (threshold) => exceedances.above(threshold) > allowed);
    this.reference = this.#reference();
  }

  /** Something must vary: when nothing is above the estimate, the next lower threshold tells. */
  #reference(): Observed {
    const varying = lastWhere(this.estimate + 1, (threshold) => this.shares.exceedances.above(threshold) > 0);
    const observed = this.shares.at(Math.max(0, varying));
    if (!Number.isNaN(observed.size)) return observed;
    // All samples have one value, so there is nothing to see of how they depend.
    const { weights, independentAtMost } = this.shares.exceedances;
    const size = independentAtMost(0);
    return { share: this.p, size, sizeMax: size, degreesOfFreedom: weights.length };
  }

  size(threshold: number): number {
    return testSize(this.shares.at(threshold), this.reference, this.p);
  }

  /** The share above is too small for the quantile to be beyond the threshold. */
  isBelow(threshold: number): boolean {
    return isShareBelow({ n: this.size(threshold), p: this.p }, this.shares.at(threshold).share);
  }

  /** The share above is too large for the quantile to be at or below the threshold. */
  isAbove(threshold: number): boolean {
    return isShareAbove({ n: this.size(threshold), p: this.p }, this.shares.at(threshold).share);
  }
}

/**
 * The quantile `q` and the interval of all values that the samples do not contradict: each threshold is tested with the number of
 * independent observations that the blocks show there.
 */
export function estimateQuantile(source: Exceedances | ObservedShares, q: number): QuantileEstimate {
  const shares = source instanceof ObservedShares ? source : new ObservedShares(source);
  return estimateFrom(new QuantileTest(shares, q), q);
}

export function estimateFrom(test: QuantileTest, q: number): QuantileEstimate {
  const { exceedances } = test.shares;
  const top = exceedances.thresholds - 1;
  const bounds = { lowerNs: lowerNs(test), upperNs: upperNs(test, top) };
  const independentEvents = Math.min(test.reference.size, test.reference.sizeMax) * Math.min(test.p, q);
  const why = whyNotKnown(test, bounds.upperNs);
  const valueNs = why === undefined ? exceedances.valuesNs(test.estimate).highestNs : undefined;
  return { q, valueNs, ...bounds, independentEvents, why };
}

function upperNs(test: QuantileTest, top: number): number {
  if (!test.isBelow(top)) return Number.POSITIVE_INFINITY;
  const last = lastWhere(top - test.estimate, (step) => !test.isBelow(test.estimate + step));
  return test.shares.exceedances.valuesNs(test.estimate + last + 1).highestNs;
}

function lowerNs(test: QuantileTest): number {
  const last = lastWhere(test.estimate, (threshold) => test.isAbove(threshold));
  // Below the smallest sample the share above is 1.
  const isKnown = last >= 0 || isShareAbove({ n: testSize(test.reference, test.reference, test.p), p: test.p }, 1);
  return isKnown ? test.shares.exceedances.valuesNs(last + 1).lowestNs : 0;
}

function whyNotKnown(test: QuantileTest, upper: number): string | undefined {
  const { eventsMin } = test.shares.exceedances;
  const events = eventsBeyond(test);
  if (events < eventsMin) return `only ${Math.floor(events)} events beyond the quantile, ${eventsMin} make it usable`;
  if (test.reference.degreesOfFreedom === 0) return 'the latency changes so slowly that the run is too short';
  if (upper === Number.POSITIVE_INFINITY) return 'too few independent events beyond the quantile';
  return undefined;
}

/** Samples (gaps) beyond the quantile, as many as there would be at best. */
export function eventsBeyond({ reference, p }: QuantileTest): number {
  // 1 - 0.99 is a little less than 0.01.
  return Math.round(reference.sizeMax * Math.min(p, 1 - p) * 1e6) / 1e6;
}
