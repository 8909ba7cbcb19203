import { Histogram } from '../../../src/latency/histogram/histogram.ts';
import type { LoggedInterval } from '../../../src/latency/histogram/log-write.ts';
import type { Random } from '../../../src/latency/statistics/random.ts';
import { normals } from '../../simulation/streams.ts';

/** A stream of lognormal latencies around `middleNs`, as the intervals of an HDR log. */
export function intervalsOf(
  random: Random,
  {
    tag,
    startEpochS,
    middleNs = 2000,
    seconds = 20,
    perSecond = 500,
  }: {
    readonly tag?: string;
    readonly startEpochS: number;
    readonly middleNs?: number;
    readonly seconds?: number;
    readonly perSecond?: number;
  },
): LoggedInterval[] {
  const normal = normals(random);
  return Array.from({ length: seconds }, (_, second) => {
    const histogram = new Histogram();
    for (let i = 0; i < perSecond; i++) histogram.record(Math.round(middleNs * Math.exp(0.3 * normal())));
    return { ...(tag && { tag }), startEpochS: startEpochS + second, durationNs: 1e9, histogram };
  });
}
