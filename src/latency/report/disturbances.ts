import type { Artefact } from '../attribution/artefacts.ts';
import type { Attribution } from '../attribution/attribute.ts';
import type { Candidate, Cause, CauseKind } from '../attribution/cause.ts';
import type { TraceClock } from '../attribution/trace-clock.ts';
import { nsOfTicks, type ProbeRun } from '../probe/run.ts';
import type { Outcome } from './result.ts';

/** What took the CPUs while jitter was measured, over all of them. Times are net, in ns. */
export interface Disturbance {
  readonly cause: string;
  readonly kind: CauseKind;
  readonly cpus: readonly number[];
  readonly count: number;
  readonly totalNs: number;
  readonly maxNs: number;
  /** false: time in which the kernel saw nothing, or recorded nothing. */
  readonly explained: boolean;
  /** The id of the setting that removes it. */
  readonly fix: string | null;
  /** What else helps, or why no setting does. */
  readonly advice: string | null;
  /** Of a thread: its page faults, which are in its time; null where they are not counted. */
  readonly pageFaults: number | null;
  /** Of realtime throttling: who ran because of it. */
  readonly letRun: readonly string[];
}

/** How causes were sought, and what is said of those that nobody saw in a gap. */
export interface CauseSearch extends Pick<Attribution, 'tier' | 'why' | 'missed'> {
  /** The kernel's name for the clock of the events, which is that of the gaps; null: no events were joined with them. */
  readonly clock: TraceClock | null;
  readonly stolenNs: number;
  readonly explainedNs: number;
  readonly unexplained: Attribution['unexplained'];
  readonly candidates: readonly Candidate[];
  /** When measuring began, in ns of CLOCK_MONOTONIC_RAW: other recordings are joined by it. Gaps count from there. */
  readonly startRawNs: number;
}

/** One of the largest gaps. */
export interface LargeGap {
  readonly cpu: number;
  /** Since measuring began. */
  readonly atS: number;
  readonly durationNs: number;
  /** What took most of it; null: the tier records nothing. */
  readonly cause: string | null;
}

export interface CausesFound {
  readonly disturbances: readonly Disturbance[];
  /** Of the stolen time, 0 to 1; null when nothing was stolen, or no causes were sought. */
  readonly explainedFraction: number | null;
  /** null: jitter was not measured, or causes were not to be sought. */
  readonly attribution: CauseSearch | null;
  readonly gaps: readonly LargeGap[];
  /** What the measurement, the machine or its hypervisor did to the figures of a run. */
  readonly artefacts: readonly (Artefact & { readonly probe: string; readonly variant: string })[];
}

/** Pure: what was found out beside the runs. */
export function listCauses(outcomes: readonly Outcome[]): CausesFound {
  const artefacts = outcomes.flatMap(({ probe, variant, measured: { attribution } }) =>
    (attribution?.artefacts ?? []).map((artefact) => ({ ...artefact, probe: probe.name, variant: variant.name })),
  );
  for (const { measured, seeksCauses } of outcomes) {
    if (measured.status !== 'measured' || measured.attribution === undefined || !seeksCauses) continue;
    return { ...describe(measured.attribution, measured.run), artefacts };
  }
  return { disturbances: [], explainedFraction: null, attribution: null, gaps: [], artefacts };
}

function describe(attribution: Attribution, run: ProbeRun): Omit<CausesFound, 'artefacts'> {
  const { tier, why, missed, stolenNs, explainedNs, unexplained, candidates, explainedFraction } = attribution;
  const { clock } = run.meta;
  const startNs = nsOfTicks(clock, run.result.startTicks - clock.epochTicks);
  return {
    disturbances: sumCauses(attribution.causes),
    explainedFraction: explainedFraction ?? null,
    attribution: {
      clock: attribution.clock ?? null,
      ...{ tier, why, missed, stolenNs, explainedNs, unexplained, candidates },
      startRawNs: Number(clock.epochNs) + startNs,
    },
    gaps: attribution.gaps.map((gap) => ({
      cpu: gap.cpu,
      // One that had begun in the warm-up counts from the start.
      atS: Math.max(0, gap.startNs - startNs) / 1e9,
      durationNs: Math.round(gap.durationNs),
      cause: gap.cause,
    })),
  };
}

/** Over all CPUs, the longest total first. */
function sumCauses(causes: readonly Cause[]): Disturbance[] {
  const sums = new Map<string, Disturbance>();
  for (const each of causes) {
    const { cause, kind, cpu, count, totalNs, maxNs, explained, fix = null, advice = null } = each;
    const key = JSON.stringify([kind, cause, fix]);
    const none = { cpus: [], count: 0, totalNs: 0, maxNs: 0, pageFaults: null, letRun: [] };
    const sum: Disturbance = sums.get(key) ?? { cause, kind, explained, fix, advice, ...none };
    sums.set(key, {
      ...sum,
      cpus: [...sum.cpus, cpu].sort((left, right) => left - right),
      count: sum.count + count,
      totalNs: sum.totalNs + totalNs,
      maxNs: Math.max(sum.maxNs, maxNs),
      pageFaults: each.pageFaults === undefined ? sum.pageFaults : each.pageFaults + (sum.pageFaults ?? 0),
      letRun: [...new Set([...sum.letRun, ...(each.letRun ?? [])])],
    });
  }
  return [...sums.values()]
    .map((sum) => ({ ...sum, totalNs: Math.round(sum.totalNs), maxNs: Math.round(sum.maxNs) }))
    .sort((left, right) => right.totalNs - left.totalNs);
}
