import type { Gaps } from '../probe/block.ts';
import { commonFindings, finding, floorOf } from '../probe/findings.ts';
import {
  exposureOf,
  type Measure,
  type Probe,
  type ProbeReport,
  type Variant,
  type VariantRequest,
} from '../probe/probe.ts';
import type { ProbeRun, ProbeStream } from '../probe/run.ts';

export interface JitterReport extends ProbeReport {
  readonly cpus: readonly JitterOfCpu[];
}

export interface JitterOfCpu {
  readonly cpu: number;
  readonly exposureNs: number;
  /** Longer than thresholdNs. */
  readonly gapCount: number;
  readonly gapsPerSecond: number;
  /** Of the time, 0 to 1, what went to gaps. */
  readonly stolenShare: number;
  readonly maxNs: number;
  /** The largest of them, in raw ticks, to be joined with what the kernel says. */
  readonly gaps: Gaps;
}

/** README.md says what it measures and why. */
export const jitter = {
  name: 'jitter',
  what: 'What takes the CPU away from a thread that never waits',
  variants: ({ cpus }: VariantRequest): readonly Variant[] =>
    cpus.length === 0 ? [] : [{ name: '', cpus, spins: true, policy: 'other', options: {} }],
  report(run: ProbeRun, variant: Variant): JitterReport {
    const gapStreams = run.streams.filter(({ name }) => name === 'gap');
    const lost = run.result.lost.gaps ?? 0;
    return {
      probe: 'jitter',
      variant: variant.name,
      floor: floorOf(run),
      measures: gapStreams.map(measureOf),
      findings: [
        ...commonFindings(run),
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
} satisfies Probe;

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
