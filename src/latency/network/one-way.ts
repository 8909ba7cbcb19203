import { Histogram } from '../histogram/histogram.ts';
import type { ClockBounds } from '../probe/meta.ts';
import type { ProbeRun } from '../probe/run.ts';

/** What is known of the difference of two clocks, and so of one way. ns. */
export interface OneWay {
  /** One way is right within this; undefined: there is no figure. */
  readonly errorNs?: number;
  /** What stands behind the error, or why there is none. One sentence; undefined where nothing was stamped. */
  readonly why?: string;
}

/** A figure whose error is a larger part of it says more of the clocks than of the way. */
const LARGEST_ERROR_SHARE = 0.1;

/**
 * One way is a difference of two clocks. Between two hosts these are known to be apart only as far as nothing arrives before it is
 * sent (RFC 5905: within half of the quickest round trip without the time at the peer), and as far as both hosts know
 * their distance from UTC. On one kernel it is one clock.
 */
export function proveOneWay(run: ProbeRun): OneWay {
  const { meta, result } = run;
  const clocks = result.clocks;
  const all = clocks?.bounds;
  if (meta.network === undefined || clocks === undefined || all === undefined) return {};
  if (isEmpty(all) || areApart(clocks.firstHalf, clocks.secondHalf)) {
    return { why: 'One way: n/a, the clocks of the two hosts drifted apart, or were set, during the run.' };
  }
  if (meta.network.sameClock) {
    if (all.lowNs > 0 || all.highNs < 0)
      return { why: 'One way: n/a, the clock of this kernel was set during the run.' };
    return { errorNs: 0, why: 'One way is of one clock: both ends are on one kernel.' };
  }
  const known = intersect(all, disciplined(run));
  if (isEmpty(known)) {
    return { why: 'One way: n/a, what chrony says of both clocks contradicts what the messages show.' };
  }
  return judgeError(run, Math.max(known.highNs - clocks.offsetNs, clocks.offsetNs - known.lowNs), known);
}

function judgeError(run: ProbeRun, errorNs: number, { lowNs, highNs }: Bounds): OneWay {
  const aboutNs = medianOf(run, '-there');
  const apart = `the clocks are ${lowNs.toFixed(0)} to ${highNs.toFixed(0)} ns apart`;
  if (aboutNs === undefined || errorNs > LARGEST_ERROR_SHARE * aboutNs) {
    const drift = sayDrift(run);
    return {
      why: `One way: n/a, ${apart}, known within ±${errorNs.toFixed(0)} ns, more than a tenth of the way itself.${drift}`,
    };
  }
  return { errorNs, why: `One way is right within ±${errorNs.toFixed(0)} ns: ${apart}.${sayDrift(run)}` };
}

type Bounds = Pick<ClockBounds, 'lowNs' | 'highNs'>;

/** By both ends' distance from UTC, where both say it. */
function disciplined({ meta }: ProbeRun): Bounds {
  const here = meta.network?.here.clockErrorNs;
  const peer = meta.network?.peer.clockErrorNs;
  if (here === undefined || peer === undefined) return { lowNs: -Infinity, highNs: Infinity };
  return { lowNs: -(here + peer), highNs: here + peer };
}

function intersect(one: Bounds, other: Bounds): Bounds {
  return { lowNs: Math.max(one.lowNs, other.lowNs), highNs: Math.min(one.highNs, other.highNs) };
}

function isEmpty({ lowNs, highNs }: Bounds): boolean {
  return lowNs > highNs;
}

function areApart(one: Bounds | undefined, other: Bounds | undefined): boolean {
  return one !== undefined && other !== undefined && isEmpty(intersect(one, other));
}

function sayDrift({ result }: ProbeRun): string {
  const { firstHalf, secondHalf } = result.clocks ?? {};
  if (firstHalf === undefined || secondHalf === undefined) return '';
  const middle = ({ lowNs, highNs }: Bounds) => (lowNs + highNs) / 2;
  const driftNs = middle(secondHalf) - middle(firstHalf);
  return ` Between the halves of the run the estimate moved by ${driftNs.toFixed(0)} ns.`;
}

function medianOf({ streams }: ProbeRun, ending: string): number | undefined {
  const stream = streams.find(({ part }) => part?.endsWith(ending));
  if (stream === undefined || stream.blocks.every(({ count }) => count === 0)) return undefined;
  return Histogram.ofBlocks(stream.blocks).quantile(0.5);
}
