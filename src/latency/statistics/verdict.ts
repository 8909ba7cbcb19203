import type { ObservedShares } from './effective-size.ts';
import { estimateFrom, eventsBeyond, type QuantileEstimate, QuantileTest } from './quantile.ts';
import { isShareAbove, isShareBelow } from './share.ts';

/** What the samples say of a target for one quantile. */
export interface Judgement {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly targetNs: number;
  readonly estimate: QuantileEstimate;
  /** The share of samples above the target; 1 - q is allowed. */
  readonly shareAbove: number;
  /**
   * Inconclusive only: a run of this length would decide in four of five cases if the host goes on as it did; undefined when no
   * length would, and `why` says so.
   */
  readonly decidesAfterNs: number | undefined;
  /** One sentence without its full stop. */
  readonly why: string;
}

/**
 * Passes only when the whole interval meets the target and the quantile is known, fails only when the whole interval misses it.
 * A target is met by a latency that equals it.
 */
export function judgeQuantile(
  shares: ObservedShares,
  { q, targetNs }: { readonly q: number; readonly targetNs: number },
): Judgement {
  const test = new QuantileTest(shares, q);
  const estimate = estimateFrom(test, q);
  const threshold = shares.exceedances.thresholdAt(targetNs);
  const shareAbove = threshold < 0 ? 1 : shares.at(threshold).share;
  const common = { targetNs, estimate, shareAbove, decidesAfterNs: undefined };
  if (estimate.lowerNs > targetNs) {
    return { ...common, verdict: 'fail', why: `the quantile is at least ${estimate.lowerNs} ns` };
  }
  if (estimate.valueNs !== undefined && estimate.upperNs <= targetNs) {
    return { ...common, verdict: 'pass', why: `the quantile is at most ${estimate.upperNs} ns` };
  }
  return { ...common, verdict: 'inconclusive', ...whatWouldDecide(test, { threshold, shareAbove, estimate }) };
}

/** A run that many times as long is not a longer run but another question. */
const LONGER_MAX = 10_000;
/**
 * The normal quantile of 9 in 10. It comes to 4 in 5 in simulation: the target lies between two buckets, and the estimated size
 * scatters.
 */
const POWER_DEVIATIONS = 1.2816;

function whatWouldDecide(
  test: QuantileTest,
  { threshold, shareAbove, estimate }: { threshold: number; shareAbove: number; estimate: QuantileEstimate },
): Pick<Judgement, 'decidesAfterNs' | 'why'> {
  // Luck in the estimated size must not promise too short a run.
  const size = Math.min(threshold < 0 ? test.reference.size : test.size(threshold), test.reference.sizeMax);
  const because = estimate.why ?? 'the target lies inside the interval';
  if (!(size > 0)) return { decidesAfterNs: undefined, why: `${because}, and it does not tell how long a run must be` };
  const isDecidedBy = (longer: number) =>
    isDecided({ n: longer * size, p: test.p }, shareAbove, longer * missing(test));
  if (!isDecidedBy(LONGER_MAX)) {
    return {
      decidesAfterNs: undefined,
      why: `${because}; the quantile is so near the target that no run would decide`,
    };
  }
  let [short, long] = [1, LONGER_MAX];
  for (let i = 0; i < 40; i++) {
    const middle = Math.sqrt(short * long);
    if (isDecidedBy(middle)) long = middle;
    else short = middle;
  }
  return { decidesAfterNs: long * test.shares.exceedances.durationNs, why: because };
}

/** How much of the events that make a quantile usable there is: 1 or more is enough. */
function missing(test: QuantileTest): number {
  return eventsBeyond(test) / test.shares.exceedances.eventsMin;
}

/** A trial of that size decides although the share comes out nearer to p than it was, by what happens in one of five runs. */
function isDecided(trial: { n: number; p: number }, share: number, usable: number): boolean {
  const slack = POWER_DEVIATIONS * Math.sqrt((share * (1 - share)) / trial.n);
  if (share > trial.p) return isShareAbove(trial, share - slack);
  return usable >= 1 && isShareBelow(trial, share + slack);
}
