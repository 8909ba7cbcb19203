import type { Watched } from '../attribution/watched.ts';
import { floorOf } from '../probe/findings.ts';
import type { Finding, Floor, Probe, Variant } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/run.ts';
import type { Target } from '../targets/target.ts';
import { type CausesFound, listCauses } from './disturbances.ts';
import type { Verdict } from './judge.ts';
import { type LatencyRow, listRows } from './row.ts';
import { type NotMeasured, type Unmeasured, whyNotMeasured } from './unmeasured.ts';

/** What became of one variant of a probe. */
export interface Outcome {
  readonly probe: Probe;
  readonly variant: Variant;
  readonly measured: Watched;
  /** What took the CPUs was recorded meanwhile. */
  readonly seeksCauses?: boolean;
  /** When measuring began, after the warm-up; seconds since 1970-01-01 UTC. */
  readonly startedEpochS: number;
}

/** How far the host is from the profile that it is judged by. It is measured all the same. */
export interface ProfileDistance {
  readonly name: string;
  /** Settings that differ, and those that could not be read; null when it could not be planned for this host, `why` says so. */
  readonly differs: number | null;
  readonly unread: number | null;
  readonly why: string | null;
}

export interface LatencyQuestion {
  readonly host: string;
  /** undefined: nothing is judged. */
  readonly profile: ProfileDistance | undefined;
  readonly targets: readonly Target[];
  /** Measured, with why these. */
  readonly cpus: { readonly cpus: readonly number[]; readonly why: string };
  readonly suite: 'quick' | 'full';
  readonly hypervisor: string | undefined;
}

/** The stable JSON of `hft verify latency`: additive changes only. */
export interface LatencyResult extends CausesFound {
  readonly host: string;
  readonly profile: ProfileDistance | null;
  readonly suite: 'quick' | 'full';
  readonly cpus: LatencyQuestion['cpus'];
  /** The person or a signal ended it: what was measured until then is here, and nothing is judged. */
  readonly cut: boolean;
  /** The worst of all runs; null when nothing was measured. */
  readonly floor: Floor | null;
  readonly probes: readonly LatencyRow[];
  readonly notMeasured: readonly NotMeasured[];
  readonly findings: readonly (Finding & { readonly probe: string; readonly variant: string })[];
  readonly summary: Readonly<Record<Verdict, number>> & { readonly notMeasured: number; readonly notJudged: number };
  readonly hypervisor: string | null;
}

/** Pure: from what the probes measured and what the profile wants to what is printed. */
export function reportLatency(
  question: LatencyQuestion,
  outcomes: readonly Outcome[],
  unmeasured: readonly Unmeasured[],
): LatencyResult {
  const { targets } = question;
  const reported = outcomes.flatMap(({ probe, variant, measured }) =>
    measured.status === 'measured'
      ? [{ variant, run: measured.run, load: measured.load, report: probe.report(measured.run, variant) }]
      : [],
  );
  const rows = reported.flatMap((each) => listRows(each, targets));
  const notMeasured = whyNotMeasured({ targets, rows, outcomes, unmeasured });
  const verdicts = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  return {
    host: question.host,
    profile: question.profile ?? null,
    suite: question.suite,
    cpus: question.cpus,
    cut: reported.some(({ report }) => report.findings.some(({ kind }) => kind === 'cut')) || wasStopped(unmeasured),
    floor: worstFloor(reported.map(({ run }) => run)),
    probes: rows,
    notMeasured,
    findings: reported.flatMap(({ report, variant }) =>
      report.findings.map((finding) => ({ ...finding, probe: report.probe, variant: variant.name })),
    ),
    ...listCauses(outcomes),
    summary: {
      pass: verdicts('pass'),
      fail: verdicts('fail'),
      inconclusive: verdicts('inconclusive'),
      notMeasured: notMeasured.filter(({ target }) => target !== null).length,
      notJudged: rows.filter(({ notJudged }) => notJudged !== null).length,
    },
    hypervisor: question.hypervisor ?? null,
  };
}

/**
 * 0 every limit that was asked for is met, or there is none; 1 one is missed; 6 undecided: too few samples, ended early, or a row
 * of the profile that was not measured although its probe was not left out.
 */
export function latencyExitCode({ summary, cut, notMeasured, probes }: LatencyResult): 0 | 1 | 6 {
  if (cut) return 6;
  if (summary.fail > 0) return 1;
  if (summary.inconclusive > 0 || summary.notJudged > 0) return 6;
  const isOpen = notMeasured.some(({ target, isLeftOut }) => target !== null && !isLeftOut);
  return isOpen || probes.length === 0 ? 6 : 0;
}

function wasStopped(unmeasured: readonly Unmeasured[]): boolean {
  return unmeasured.some(({ because }) => because === 'stopped');
}

/** Of each figure the largest: what no run of these saw below. */
function worstFloor(runs: readonly ProbeRun[]): Floor | null {
  const [first, ...rest] = runs.map(floorOf);
  if (first === undefined) return null;
  return rest.reduce(worse, first);
}

function worse(one: Floor, other: Floor): Floor {
  const larger = (of: (floor: Floor) => number) => Math.max(of(one), of(other));
  const drifts = Math.abs(one.driftPpm) > Math.abs(other.driftPpm) ? one : other;
  const skew = widerSkew(one, other);
  return {
    clock: one.clock === 'raw' ? 'raw' : other.clock,
    quantumNs: larger(({ quantumNs }) => quantumNs),
    readNs: larger(({ readNs }) => readNs),
    orderedReadNs: larger(({ orderedReadNs }) => orderedReadNs),
    recordNs: larger(({ recordNs }) => recordNs),
    loopNs: larger(({ loopNs }) => loopNs),
    driftPpm: drifts.driftPpm,
    driftErrorPpm: drifts.driftErrorPpm,
    ...(skew && { skew }),
  };
}

function widerSkew({ skew: one }: Floor, { skew: other }: Floor): Floor['skew'] {
  if (one === undefined || other === undefined) return one ?? other;
  return one.errorNs > other.errorNs ? one : other;
}
