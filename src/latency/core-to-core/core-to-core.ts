import { commonFindings, finding, floorOf } from '../probe/findings.ts';
import type { Skew } from '../probe/meta.ts';
import {
  exposureOf,
  type Measure,
  type Probe,
  type ProbeReport,
  type Variant,
  type VariantRequest,
} from '../probe/probe.ts';
import type { ProbeRun, ProbeStream } from '../probe/run.ts';

export interface CoreToCoreReport extends ProbeReport {
  /** Each pair once; the matrix of the report is symmetric. */
  readonly pairs: readonly CorePair[];
}

export interface CorePair {
  readonly cpu: number;
  readonly peer: number;
  /** A cache line to the peer and one back. One way is taken as half of it. */
  readonly roundTrip: { readonly minNs: number; readonly count: number };
  /** The peer's clock minus the CPU's. undefined when the run was cut before. */
  readonly skew: Skew | undefined;
}

/** README.md says what it measures and why. */
export const coreToCore = {
  name: 'core-to-core',
  what: 'How long a cache line takes from one CPU to another and back, and how far their clocks are apart',
  variants: ({ cpus }: VariantRequest): readonly Variant[] =>
    cpus.length < 2 ? [] : [{ name: '', cpus, spins: true, policy: 'other', options: {} }],
  report(run: ProbeRun, variant: Variant): CoreToCoreReport {
    const pairs = run.streams.map((stream) => pairOf(run, stream));
    return {
      probe: 'core-to-core',
      variant: variant.name,
      floor: floorOf(run),
      measures: run.streams.map(measureOf),
      findings: [...commonFindings(run), ...pairs.flatMap(findContradiction)],
      pairs,
    };
  },
} satisfies Probe;

function pairOf({ result }: ProbeRun, { id, cpu = -1, peer = -1, blocks }: ProbeStream): CorePair {
  const seen = blocks.filter(({ count }) => count > 0);
  return {
    cpu,
    peer,
    roundTrip: {
      minNs: seen.reduce((least, { minNs }) => Math.min(least, minNs), Number.POSITIVE_INFINITY),
      count: seen.reduce((sum, { count }) => sum + count, 0),
    },
    skew: result.pairs?.find(({ stream }) => stream === id)?.skew,
  };
}

function measureOf(stream: ProbeStream): Measure {
  return {
    name: 'core-to-core',
    cpus: [stream.cpu, stream.peer].filter((cpu) => cpu !== undefined),
    direction: 'round-trip',
    payloadBytes: 8,
    pacing: { kind: 'saturated' },
    wait: 'spin',
    samples: 'latency',
    rule: 'closed',
    blocks: stream.blocks,
    exposureNs: exposureOf(stream.blocks),
  };
}

/** An answer that came before its question by the peer's clock in one exchange and after it in another. */
function findContradiction({ cpu, peer, skew }: CorePair) {
  if (skew === undefined || skew.lowNs <= skew.highNs) return [];
  return [
    finding(
      'clock-skew',
      `The clocks of CPUs ${cpu} and ${peer} moved against each other while they were compared: no one-way figure between them holds.`,
    ),
  ];
}
