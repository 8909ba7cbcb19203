import { highestNs, lowestNs, PROBE_LAYOUT } from '../histogram/layout.ts';
import type { Measure } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/run.ts';
import { ObservedShares } from '../statistics/effective-size.ts';
import { latencyExceedances } from '../statistics/exceedances.ts';
import { delayExceedances, type Gap, type GapExposure, type Jitter, jitterOf } from '../statistics/jitter.ts';
import { maximumOf } from '../statistics/maximum.ts';
import { gapsOf } from './gaps.ts';

/** What a measure came to, ready to be judged. */
export interface Observation {
  /** undefined when there is nothing to judge: no sample, no time. */
  readonly shares: ObservedShares | undefined;
  readonly samples: number;
  readonly durationNs: number;
  readonly maxNs: number | undefined;
  /** Seldomer than this, with 95 % confidence, is what was never seen. */
  readonly unseenPerSecondMax: number;
  /** Values below are not seen. */
  readonly floorNs: number;
  /** Differences smaller than this do not exist. */
  readonly resolutionNs: number;
  readonly jitter: Jitter | undefined;
}

/** The samples of a latency as they are; of gaps the delay that something suffers which arrives at a random time. */
export function observe(measure: Measure, run: ProbeRun): Observation {
  return measure.samples === 'gap' ? observeGaps(measure, run) : observeLatencies(measure, run);
}

function observeLatencies({ blocks }: Measure, { meta }: ProbeRun): Observation {
  const { count, maxNs, exposureNs, unseenPerSecondMax } = maximumOf(blocks);
  const { quantumNs, orderedReadNs } = meta.clock;
  return {
    shares: count === 0 ? undefined : new ObservedShares(latencyExceedances(blocks)),
    samples: count,
    durationNs: exposureNs,
    maxNs: count === 0 ? undefined : maxNs,
    unseenPerSecondMax,
    floorNs: Math.max(quantumNs, orderedReadNs),
    resolutionNs: quantumNs,
    jitter: undefined,
  };
}

function observeGaps(measure: Measure, run: ProbeRun): Observation {
  const { meta } = run;
  const stream = run.streams.find(({ blocks }) => blocks === measure.blocks);
  const gaps = stream === undefined ? [] : gapsOf(run, stream, middleNs);
  const { count, maxNs, unseenPerSecondMax } = maximumOf(measure.blocks);
  const floorNs = meta.thresholdNs ?? meta.clock.loopNs;
  const exposure = { exposureNs: timeWatched(measure, gaps), floorNs, blockNs: meta.blockNs };
  const isWatched = exposure.exposureNs > 0;
  return {
    shares: isWatched ? new ObservedShares(delayExceedances(gaps, exposure)) : undefined,
    samples: count,
    durationNs: exposure.exposureNs,
    maxNs: isWatched ? maxNs : undefined,
    unseenPerSecondMax,
    floorNs,
    resolutionNs: meta.clock.quantumNs,
    jitter: isWatched ? jitterOf(gaps, exposure, []) : undefined,
  };
}

/** The last gap may end after the last block, by what the clocks of both are apart. */
function timeWatched({ exposureNs }: Measure, gaps: readonly Gap[]): GapExposure['exposureNs'] {
  return Math.max(exposureNs, gaps.at(-1)?.endNs ?? 0);
}

/** Of a bucket. */
export function middleNs(bucket: number): number {
  return (lowestNs(PROBE_LAYOUT, bucket) + highestNs(PROBE_LAYOUT, bucket)) / 2;
}
