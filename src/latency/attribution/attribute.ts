import type { Gaps } from '../probe/block.ts';
import type { ProbeMeta } from '../probe/meta.ts';
import type { StolenTime } from '../probe/probe.ts';
import {
  type Artefact,
  FAIR_SERVER_FIX,
  findChanges,
  findHeldIdleStates,
  findThrottling,
  type MeasuredCpu,
  type Surroundings,
} from './artefacts.ts';
import type { Capability } from './capability.ts';
import type { Candidate, Cause, GapTicks } from './cause.ts';
import { type Counted, candidatesBelow, candidatesBeside, candidatesOf } from './counters.ts';
import { type Explanation, explain } from './explain.ts';
import { type AttributedGap, listLargest } from './largest.ts';
import { occupyByNoise } from './noise.ts';
import { occupy } from './occupancy.ts';
import { findPeriod, suspectOf } from './periodicity.ts';
import type { RecordedTrace } from './recording.ts';
import { isSameLine, type TraceClock } from './trace-clock.ts';
import { type CpuTrace, parseTrace } from './trace-text.ts';

/** All that was found out beside a run. */
export interface Observed extends Pick<Capability, 'tier' | 'why' | 'missed'> {
  readonly trace: RecordedTrace | undefined;
  readonly counted: Counted;
  readonly surroundings: { readonly before: Surroundings; readonly after: Surroundings };
  /** The hardware threads of each CPU's core. */
  readonly siblings: ReadonlyMap<number, readonly number[]>;
}

export type AttributedRun = Pick<ProbeMeta, 'clock' | 'policy' | 'dmaLatencyUs'>;

export interface Attribution extends Pick<Capability, 'tier' | 'why' | 'missed'> {
  /** Of the events that were joined with the gaps; undefined: none were. */
  readonly clock: TraceClock | undefined;
  /** Seen in the gaps, the longest total first; those of time in which nothing was seen among them. Tiers A and B. */
  readonly causes: readonly Cause[];
  /** What happened in the same time, seen by nobody in a gap: no verdicts. */
  readonly candidates: readonly Candidate[];
  readonly artefacts: readonly Artefact[];
  /** The largest, by CPU and then in the order of time; each CPU has an equal part of GAPS_LISTED. */
  readonly gaps: readonly AttributedGap[];
  /** Of the stolen time, 0 to 1; undefined when nothing was stolen. */
  readonly explainedFraction: number | undefined;
  readonly stolenNs: number;
  readonly explainedNs: number;
  /** What is not explained, by why; explained and these add up to the stolen time. */
  readonly unexplained: Unexplained;
}

export interface Unexplained {
  /** The kernel saw nothing in the gap. */
  readonly outsideKernelNs: number;
  /** In gaps with a cause: entering and leaving the kernel. */
  readonly besideCausesNs: number;
  /** The buffer had no room, or the tier records nothing. */
  readonly notRecordedNs: number;
  /** Gaps that are counted and not listed one by one. */
  readonly unlistedNs: number;
}

/** As many as a timeline can show and a page can hold. */
export const GAPS_LISTED = 1000;

/** Joins the gaps of a run with what was recorded in the same time. Pure. */
export function attribute(observed: Observed, run: AttributedRun, stolen: readonly StolenTime[]): Attribution {
  const { trace, counted } = observed;
  const joinable = trace !== undefined && isSameLine(trace.clock, run.clock.source);
  const parts = stolen.map((each) =>
    joinCpu(joinable ? trace : undefined, {
      counted,
      run,
      stolen: each,
      listed: Math.ceil(GAPS_LISTED / stolen.length),
    }),
  );
  const explanations = parts.flatMap(({ explanation }) => explanation ?? []);
  const sum = (of: (explanation: Explanation) => number) => explanations.reduce((total, each) => total + of(each), 0);
  const listedNs = stolen.reduce((total, { gaps }) => total + sumGapsNs(gaps, run), 0);
  const stolenNs = Math.max(
    listedNs,
    stolen.reduce((total, { exposureNs, stolenShare }) => total + exposureNs * stolenShare, 0),
  );
  const explainedNs = sum((each) => each.explainedNs);
  const measured = stolen.map((each) => measuredCpu(each, run));
  return {
    ...tierOf(observed, { joinable, source: run.clock.source }),
    clock: joinable ? trace.clock : undefined,
    causes: explanations
      .flatMap(({ causes }) => causes)
      .map((cause) => adviseThrottling(cause, run, observed.surroundings.before))
      .sort((left, right) => right.totalNs - left.totalNs),
    candidates: joinable ? findHidden(observed, stolen) : findCandidates(observed, measured),
    artefacts: [...parts.flatMap(({ artefacts }) => artefacts), ...findArtefacts(observed, run, measured)],
    gaps: parts.flatMap(({ gaps }) => gaps),
    explainedFraction: stolenNs === 0 ? undefined : explainedNs / stolenNs,
    stolenNs,
    explainedNs,
    unexplained: {
      outsideKernelNs: sum((each) => each.outsideKernelNs),
      besideCausesNs: sum((each) => each.besideCausesNs),
      notRecordedNs: sum((each) => each.notRecordedNs) + listedNs - sum((each) => each.gapsNs),
      unlistedNs: stolenNs - listedNs,
    },
  };
}

function tierOf(
  { tier, why, missed, trace }: Observed,
  { joinable, source }: { readonly joinable: boolean; readonly source: AttributedRun['clock']['source'] },
): Pick<Capability, 'tier' | 'why' | 'missed'> {
  if (trace === undefined || joinable) return { tier, why, missed };
  const reason = `The trace has the clock ${trace.clock} and the gaps were timed by ${source}, so no event can be joined with them.`;
  return { tier: 'C', why: 'Counters before and after.', missed: [...missed, { tier: trace.tier, reason }] };
}

/** It stops realtime threads alone; where the kernel has a fair server, that does it. */
function adviseThrottling(cause: Cause, { policy }: AttributedRun, { fairServerNs }: Surroundings): Cause {
  if (cause.kind !== 'throttling') return cause;
  if (policy === 'fifo') return (fairServerNs.get(cause.cpu) ?? 0) > 0 ? { ...cause, fix: FAIR_SERVER_FIX } : cause;
  const { fix: _, ...others } = cause;
  return {
    ...others,
    advice:
      'The CPU was idle in the gap: the cgroup of the measurement has a limit (cpu.max), or it waited for memory.',
  };
}

interface CpuJoin {
  readonly counted: Counted;
  readonly run: AttributedRun;
  readonly stolen: StolenTime;
  /** How many of its gaps. */
  readonly listed: number;
}

interface JoinedCpu {
  /** undefined where the CPU was not recorded. */
  readonly explanation?: Explanation;
  readonly gaps: readonly AttributedGap[];
  readonly artefacts: readonly Artefact[];
}

function joinCpu(
  recorded: RecordedTrace | undefined,
  { counted: { irqs }, run, stolen: { cpu, gaps: rawGaps }, listed }: CpuJoin,
): JoinedCpu {
  const { hz, epochTicks } = run.clock;
  const own = recorded?.cpus.find((each) => each.cpu === cpu);
  const gaps = gapTicks(rawGaps, epochTicks);
  if (recorded === undefined || own === undefined)
    return { gaps: listLargest({ cpu, gaps, pieces: undefined, hz }, irqs, listed), artefacts: [] };
  const trace = parseTrace(own.text, own.cpu, epochTicks, own.rawText);
  const join = recorded.tier === 'A' ? occupyByNoise : occupy;
  const pieces = join({ trace, hz, overrun: own.stats.overrun > 0 }, gaps);
  return {
    explanation: explain({ cpu, gaps, pieces, hz }, irqs),
    gaps: listLargest({ cpu, gaps, pieces, hz }, irqs, listed),
    artefacts: findIncomplete(trace, own.stats),
  };
}

function findIncomplete(
  { cpu, lost, unread, events }: CpuTrace,
  stats: { overrun: number; dropped: number },
): Artefact[] {
  const gone = lost + stats.overrun + stats.dropped;
  const texts = [
    ...(gone > 0
      ? [`${gone} events of CPU ${cpu} found no room beside ${events.length}: gaps without them are not explained.`]
      : []),
    ...(unread > 0 ? [`${unread} lines of the trace of CPU ${cpu} could not be read.`] : []),
  ];
  return texts.map((text) => ({ kind: 'trace-incomplete', cpu, text }));
}

export function gapTicks({ starts, ends }: Gaps, epochTicks: bigint): GapTicks {
  const relative = (ticks: BigUint64Array) => Float64Array.from(ticks, (each) => Number(each - epochTicks));
  return { starts: relative(starts), ends: relative(ends) };
}

function sumGapsNs({ starts, ends }: Gaps, { clock }: AttributedRun): number {
  let ticks = 0;
  for (let at = 0; at < starts.length; at++) ticks += Number((ends[at] as bigint) - (starts[at] as bigint));
  return (ticks * 1e9) / clock.hz;
}

function measuredCpu({ cpu, gaps }: StolenTime, { clock, policy }: AttributedRun): MeasuredCpu {
  const { starts, ends } = gapTicks(gaps, clock.epochTicks);
  const nsOf = (ticks: number) => (ticks * 1e9) / clock.hz;
  return {
    cpu,
    policy,
    startsNs: Array.from(starts, nsOf),
    lengthsNs: Array.from(starts, (start, at) => nsOf((ends[at] as number) - start)),
  };
}

/** What events cannot show: below the kernel and beside the CPU. */
function findHidden({ counted, siblings }: Observed, stolen: readonly StolenTime[]): Candidate[] {
  return stolen.flatMap(({ cpu }) => [
    ...candidatesBelow(cpu, counted),
    ...candidatesBeside(cpu, siblings.get(cpu) ?? [], counted),
  ]);
}

function findCandidates({ counted, siblings }: Observed, measured: readonly MeasuredCpu[]): Candidate[] {
  return measured.flatMap(({ cpu, startsNs }) => {
    const period = findPeriod(startsNs);
    const suspect = period && suspectOf(period.periodNs);
    const evidence =
      period &&
      `${Math.round(period.share * 100)} % of the gaps come ${(period.periodNs / 1e6).toFixed(3)} ms after the one before`;
    return [
      ...candidatesBelow(cpu, counted),
      ...candidatesOf(cpu, counted),
      ...(evidence === undefined
        ? []
        : [
            {
              cause: suspect ?? 'something periodic',
              kind: suspect?.includes('CONFIG_HZ') ? ('timer' as const) : ('outside-kernel' as const),
              cpu,
              evidence,
            },
          ]),
      ...candidatesBeside(cpu, siblings.get(cpu) ?? [], counted),
    ];
  });
}

function findArtefacts(
  { counted, surroundings: { before, after } }: Observed,
  run: AttributedRun,
  measured: readonly MeasuredCpu[],
): Artefact[] {
  const steal = measured.flatMap(({ cpu }) =>
    candidatesBelow(cpu, counted)
      .filter(({ kind }) => kind === 'hypervisor-steal')
      .map(({ evidence }): Artefact => {
        const text = `CPU ${cpu}: the hypervisor gave it to others while it was measured (${evidence}).`;
        return { kind: 'hypervisor-steal', cpu, text };
      }),
  );
  return [
    ...measured.flatMap((each) => findThrottling(each, before)),
    ...steal,
    ...findHeldIdleStates(run.dmaLatencyUs),
    ...findChanges(before, after),
  ];
}
