import { estimateQuantile } from '../statistics/quantile.ts';
import { type Judgement, judgeQuantile } from '../statistics/verdict.ts';
import { QUANTILES, type QuantileName, type Target } from '../targets/target.ts';
import type { Observation } from './observed.ts';

export type Verdict = 'pass' | 'fail' | 'inconclusive';

/** One percentile of a row. Numbers are ns, and end where the clock's resolution does; 0 is less than the row's floorNs. */
export interface Percentile {
  /** null is n/a: the samples do not tell. */
  readonly value: number | null;
  readonly lower: number;
  /** null: the samples give no bound. */
  readonly upper: number | null;
  /** Why it is n/a. */
  readonly why: string | null;
  readonly judgement: Judged | null;
}

/** What the samples say of the limit of a percentile. */
export interface Judged {
  readonly verdict: Verdict;
  readonly limitNs: number;
  readonly why: string;
  /** A run of this length would decide; null when it is decided, or when no length would. */
  readonly decidesAfterS: number | null;
}

export type Percentiles = Readonly<Record<QuantileName, Percentile>>;

/** Every percentile of what was observed, judged where the target has a limit. */
export function judgePercentiles(observation: Observation, target: Target | undefined): Percentiles {
  const entries = QUANTILES.map(({ name, q }) => [name, judgePercentile(observation, q, target?.[name])] as const);
  return Object.fromEntries(entries) as unknown as Percentiles;
}

const NOTHING_SEEN: Percentile = { value: null, lower: 0, upper: null, why: 'there are no samples', judgement: null };

function judgePercentile(observation: Observation, q: number, limitNs: number | undefined): Percentile {
  const { shares } = observation;
  if (shares === undefined) return NOTHING_SEEN;
  const judged = limitNs === undefined ? undefined : judgeQuantile(shares, { q, targetNs: limitNs });
  const { valueNs, lowerNs, upperNs, why } = judged?.estimate ?? estimateQuantile(shares, q);
  return {
    value: valueNs === undefined ? null : roundToClock(valueNs, observation),
    lower: roundToClock(lowerNs, observation),
    upper: Number.isFinite(upperNs) ? roundToClock(upperNs, observation) : null,
    why: why ?? null,
    judgement: judged === undefined ? null : describeJudgement(judged, observation),
  };
}

/** A limit below what the probe sees can be missed and never met. */
function describeJudgement({ verdict, targetNs, why, decidesAfterNs }: Judgement, { floorNs }: Observation): Judged {
  const isUnseen = verdict === 'pass' && targetNs < floorNs;
  return {
    verdict: isUnseen ? 'inconclusive' : verdict,
    limitNs: targetNs,
    why: isUnseen ? `the probe sees nothing below ${Math.ceil(floorNs)} ns` : why,
    decidesAfterS: decidesAfterNs === undefined ? null : Math.ceil(decidesAfterNs / 1e9),
  };
}

/** Digits that the clock cannot tell apart are not given, and nothing below what the probe sees. */
export function roundToClock(
  ns: number,
  { floorNs, resolutionNs }: Pick<Observation, 'floorNs' | 'resolutionNs'>,
): number {
  if (ns < floorNs) return 0;
  return Math.round(Math.round(ns / resolutionNs) * resolutionNs);
}

/** The worst of the percentiles that have a limit; null when none has. */
export function verdictOf(percentiles: Percentiles): Verdict | null {
  const verdicts = Object.values(percentiles).flatMap(({ judgement }) => judgement?.verdict ?? []);
  return (['fail', 'inconclusive', 'pass'] as const).find((verdict) => verdicts.includes(verdict)) ?? null;
}
