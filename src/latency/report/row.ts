import type { LoadAchieved, LoadKind } from '../probe/load.ts';
import type { Measure, MeasuredPeer, MeasuredServer, Pacing, ProbeReport, Variant } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/run.ts';
import { isMeantFor, QUANTILES, type QuantileName, type Target } from '../targets/target.ts';
import { judgePercentiles, type Percentiles, roundToClock, type Verdict, verdictOf } from './judge.ts';
import { observe } from './observed.ts';

/** One row of `hft verify latency --json`: what was measured on which CPUs, and what the profile says to it. */
export interface LatencyRow {
  /** The probe. */
  readonly name: string;
  /** The work was made up: it is no application's. */
  readonly synthetic: boolean;
  readonly variant: string;
  /** A pattern of ZeroMQ, a command of Redis, a stage of the pipeline (`whole`: all of them); null where the probe is one thing. */
  readonly part: string | null;
  /** Whose latency it is, where it is not the probe's own code: `redis 7.0.15`. */
  readonly software: string | null;
  readonly server: MeasuredServer | null;
  readonly peer: MeasuredPeer | null;
  /** A part of the time of another row of the same run. */
  readonly split: boolean;
  /** The sender first. */
  readonly cpus: readonly number[];
  readonly direction: Measure['direction'];
  readonly payloadBytes: number | null;
  readonly pacing: Pacing;
  readonly load: 'none' | LoadKind;
  /** What the load did by its own count; null without one. */
  readonly loadAchieved: LoadAchieved | null;
  readonly wait: Measure['wait'];
  readonly policy: Variant['policy'];
  readonly rule: Measure['rule'];
  /** delay: what something waits that arrives at a random time. */
  readonly quantity: 'latency' | 'delay';
  /** Samples of a latency; gaps of a delay. */
  readonly samples: number;
  readonly durationS: number;
  readonly percentiles: Readonly<Record<QuantileName | 'max', number | null>>;
  readonly interval: Readonly<Record<QuantileName, { readonly lower: number; readonly upper: number | null }>>;
  readonly judgements: Readonly<Record<QuantileName, Percentiles['p50']['judgement']>>;
  /** Why a percentile is null. */
  readonly notAvailable: Readonly<Partial<Record<QuantileName, string>>>;
  readonly target: (Partial<Record<QuantileName, number>> & { readonly name: string }) | null;
  /** null: there is no target, or notJudged says why. */
  readonly verdict: Verdict | null;
  readonly notJudged: string | null;
  readonly unit: 'ns';
  /** What is shorter is not seen: it stands as 0. */
  readonly floorNs: number;
  /** What was never seen comes less often than this, with 95 % confidence; null: nothing was watched. */
  readonly unseenPerSecondMax: number | null;
  readonly gaps: { readonly perSecond: number; readonly stolenShare: number } | null;
  /** The same run counted in another way, never judged. */
  readonly beside: BesideRow | null;
}

export interface BesideRow {
  readonly rule: Measure['rule'];
  readonly samples: number;
  readonly percentiles: LatencyRow['percentiles'];
}

export interface ReportedRun {
  readonly report: ProbeReport;
  readonly variant: Variant;
  readonly run: ProbeRun;
  /** undefined: nothing else was made to run. */
  readonly load?: LoadAchieved | undefined;
}

/** The rows of one run: one for each measure, and for each target where several fit. Closed loops stand beside open ones. */
export function listRows(reported: ReportedRun, targets: readonly Target[]): LatencyRow[] {
  const { report, variant } = reported;
  const load = reported.load?.kind ?? 'none';
  const invalid = report.findings.find(({ invalidates }) => invalidates);
  return shownMeasures(report).flatMap((measure) => {
    const fitting = targets.filter((target) => isMeantFor(target, report.probe, { measure, variant, load }));
    const beside = report.measures.find((other) => other.rule !== measure.rule && isSamePlace(other, measure));
    const judged: readonly (Target | undefined)[] = fitting.length > 0 ? fitting : [undefined];
    return judged.map((target) => ({
      ...makeRow(reported, measure, target),
      ...(target && invalid && { verdict: null, judgements: NOTHING_JUDGED, notJudged: invalid.text }),
      beside: beside === undefined ? null : besideOf(beside, reported.run),
    }));
  });
}

/** Those that have a row of their own: the open loops, or all where there is none. */
export function shownMeasures({ measures }: ProbeReport): readonly Measure[] {
  const open = measures.filter(({ rule }) => rule === 'open');
  return open.length > 0 ? open : measures;
}

const NOTHING_JUDGED = { p50: null, p99: null, 'p99.9': null, 'p99.99': null };

function isSamePlace(one: Measure, other: Measure): boolean {
  return one.part === other.part && one.cpus.join() === other.cpus.join();
}

function makeRow(
  { report, variant, run, load }: ReportedRun,
  measure: Measure,
  target: Target | undefined,
): LatencyRow {
  const observation = observe(measure, run);
  const judged = judgePercentiles(observation, target);
  const { maxNs, floorNs, jitter, samples, durationNs, unseenPerSecondMax } = observation;
  const each = <T>(of: (percentile: Percentiles['p50']) => T) =>
    Object.fromEntries(QUANTILES.map(({ name }) => [name, of(judged[name])])) as Record<QuantileName, T>;
  const missing = QUANTILES.flatMap(({ name }) => {
    const { why } = judged[name];
    return why === null ? [] : [[name, why] as const];
  });
  return {
    name: report.probe,
    synthetic: measure.isSynthetic ?? false,
    variant: report.variant,
    part: measure.part ?? null,
    software: measure.software ?? null,
    server: measure.server ?? null,
    peer: measure.peer ?? null,
    split: measure.isSplit ?? false,
    cpus: measure.cpus,
    direction: measure.direction,
    payloadBytes: measure.payloadBytes ?? null,
    pacing: measure.pacing,
    load: load?.kind ?? 'none',
    loadAchieved: load ?? null,
    wait: measure.wait,
    policy: variant.policy,
    rule: measure.rule,
    quantity: measure.samples === 'gap' ? 'delay' : 'latency',
    samples,
    durationS: durationNs / 1e9,
    percentiles: {
      ...each(({ value }) => value),
      max: maxNs === undefined ? null : roundToClock(maxNs, observation),
    },
    interval: each(({ lower, upper }) => ({ lower, upper })),
    judgements: each(({ judgement }) => judgement),
    notAvailable: Object.fromEntries(missing),
    target: target === undefined ? null : limitsOf(target),
    // A limit without a sample to judge it by is not met.
    verdict: target === undefined ? null : (verdictOf(judged) ?? 'inconclusive'),
    notJudged: null,
    unit: 'ns',
    floorNs,
    // One that was cut before its first block has watched nothing.
    unseenPerSecondMax: Number.isFinite(unseenPerSecondMax) ? unseenPerSecondMax : null,
    gaps:
      jitter === undefined ? null : { perSecond: jitter.gapsPerSecond.value, stolenShare: jitter.stolenShare.value },
    beside: null,
  };
}

function limitsOf(target: Target): NonNullable<LatencyRow['target']> {
  const limits = QUANTILES.flatMap(({ name }) => {
    const limitNs = target[name];
    return limitNs === undefined ? [] : [[name, limitNs] as const];
  });
  return { name: target.name, ...Object.fromEntries(limits) };
}

function besideOf(measure: Measure, run: ProbeRun): BesideRow {
  const observation = observe(measure, run);
  const judged = judgePercentiles(observation, undefined);
  const values = QUANTILES.map(({ name }) => [name, judged[name].value] as const);
  const max = observation.maxNs === undefined ? null : roundToClock(observation.maxNs, observation);
  return {
    rule: measure.rule,
    samples: observation.samples,
    percentiles: { ...(Object.fromEntries(values) as Record<QuantileName, number | null>), max },
  };
}
