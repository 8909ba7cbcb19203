import { binomialBelow } from './distributions.ts';
import { CONFIDENCE, type Observed, testSize } from './effective-size.ts';

const TAIL = (1 - CONFIDENCE) / 2;

/** `n` independent observations, each an event with probability `p`; n need not be whole. */
interface Trial {
  readonly n: number;
  readonly p: number;
}

/** The observed share is significantly below p: exact binomial test, mid-p, one tail of the interval. */
export function isShareBelow(trial: Trial, share: number): boolean {
  return trial.n > 0 && binomialBelow(share * trial.n - 0.5, trial) <= TAIL;
}

export function isShareAbove(trial: Trial, share: number): boolean {
  return trial.n > 0 && 1 - binomialBelow(share * trial.n - 0.5, trial) <= TAIL;
}

/** The 95 % interval of a share: all p that the observation does not contradict. */
export function shareInterval(observed: Observed): { readonly lower: number; readonly upper: number } {
  const { share } = observed;
  const trial = (p: number) => ({ n: testSize(observed, observed, Math.max(p, share)), p });
  if (trial(share).n === 0) return { lower: 0, upper: 1 };
  return {
    lower: boundary({ from: share, to: 0 }, (p) => isShareAbove(trial(p), share)),
    upper: boundary({ from: share, to: 1 }, (p) => isShareBelow(trial(p), share)),
  };
}

/** Where `isRejected` begins to hold on the way from a value for which it does not; `to` when it never does. */
function boundary({ from, to }: { from: number; to: number }, isRejected: (p: number) => boolean): number {
  if (to > 0 && !isRejected(to * (1 - 1e-9))) return to;
  // By ratio, because shares of 1e-9 are as usual as a half.
  let [held, rejected] = [Math.log(from), to === 0 ? Math.log(from) - 50 : Math.log(to)];
  for (let i = 0; i < 60; i++) {
    const middle = (held + rejected) / 2;
    if (isRejected(Math.exp(middle))) rejected = middle;
    else held = middle;
  }
  return to === 0 && rejected <= Math.log(from) - 50 ? 0 : Math.exp(held);
}
