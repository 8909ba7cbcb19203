import { commonFindings, finding, floorOf } from '../probe/findings.ts';
import {
  exposureOf,
  type Finding,
  type Measure,
  POLICIES,
  type Probe,
  type ProbeReport,
  type StolenTime,
  type Variant,
  type VariantRequest,
} from '../probe/probe.ts';
import type { ProbeRun, ProbeStream } from '../probe/run.ts';

export interface JitterReport extends ProbeReport {
  readonly cpus: readonly JitterOfCpu[];
}

export interface JitterOfCpu extends StolenTime {
  /** Longer than thresholdNs. */
  readonly gapCount: number;
  readonly gapsPerSecond: number;
  readonly maxNs: number;
}

/** README.md says what it measures and why. */
export const jitter = {
  name: 'jitter',
  what: 'What takes the CPU away from a thread that never waits',
  hasScheduler: true,
  variants: ({ cpus, scheduler = 'other' }: VariantRequest): readonly Variant[] => {
    const policy = POLICIES[scheduler];
    return cpus.length === 0
      ? []
      : [{ name: scheduler === 'other' ? '' : policy, cpus, spins: true, policy, options: {} }];
  },
  report(run: ProbeRun, variant: Variant): JitterReport {
    const gapStreams = gapStreamsOf(run);
    const lost = run.result.lost.gaps ?? 0;
    return {
      probe: 'jitter',
      variant: variant.name,
      floor: floorOf(run),
      measures: gapStreams.map(measureOf),
      findings: [
        ...commonFindings(run),
        ...findSlowClock(run),
        ...(lost > 0
          ? [
              finding(
                'gaps-lost',
                `${lost} of the shorter gaps are counted and not listed one by one, so no cause is sought for them.`,
              ),
            ]
          : []),
      ],
      cpus: gapStreams.map(summarize),
    };
  },
  stolen: (run: ProbeRun) => gapStreamsOf(run).map(summarize),
} satisfies Probe;

function findSlowClock({ meta: { clock, thresholdNs = 0, askedThresholdNs = thresholdNs } }: ProbeRun): Finding[] {
  if (thresholdNs <= askedThresholdNs) return [];
  const [least, loop] = [thresholdNs, clock.loopNs].map((ns) => (ns / 1000).toFixed(1));
  const text = `Gaps are listed from ${least} us on: shorter ones cannot be told from turns of the loop, which take ${loop} us by this clock.`;
  return [finding('clock-slow', text)];
}

function gapStreamsOf({ streams }: ProbeRun): ProbeStream[] {
  return streams.filter(({ name }) => name === 'gap');
}

function measureOf(stream: ProbeStream): Measure {
  return {
    name: 'jitter',
    cpus: cpusOf(stream),
    direction: 'none',
    pacing: { kind: 'saturated' },
    wait: 'spin',
    samples: 'gap',
    rule: 'open',
    blocks: stream.blocks,
    exposureNs: exposureOf(stream.blocks),
  };
}

function cpusOf({ cpu }: ProbeStream): number[] {
  return cpu === undefined ? [] : [cpu];
}

function summarize(stream: ProbeStream): JitterOfCpu {
  const exposureNs = exposureOf(stream.blocks);
  const gapCount = stream.blocks.reduce((sum, { count }) => sum + count, 0);
  const stolenNs = stream.blocks.reduce((sum, { sumNs }) => sum + sumNs, 0);
  return {
    cpu: stream.cpu ?? -1,
    exposureNs,
    gapCount,
    gapsPerSecond: exposureNs === 0 ? 0 : (gapCount * 1e9) / exposureNs,
    stolenShare: exposureNs === 0 ? 0 : stolenNs / exposureNs,
    maxNs: stream.blocks.reduce((max, { maxNs }) => Math.max(max, maxNs), 0),
    gaps: stream.gaps,
  };
}
