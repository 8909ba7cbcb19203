import type { LatencyRow } from '../report/row.ts';
import type { QuantileComparison, RowsComparison } from '../statistics/compare.ts';
import { compareInterleaved, type MeasuredRun } from '../statistics/interleaved.ts';
import { QUANTILES, type QuantileName } from '../targets/target.ts';
import { type Difference, differenceOf } from './baseline.ts';
import { differsIn } from './conditions.ts';
import { compareFingerprints, type Fingerprint, type FingerprintDifference } from './fingerprint.ts';
import type { ComparableRow } from './logged-rows.ts';

/** One measurement of a state. */
export interface StateRun extends MeasuredRun {
  /** For people: the name of the run, or its file. */
  readonly run: string;
  readonly rows: ReadonlyMap<string, ComparableRow>;
  /** Rows that it has and that must not be compared, with the reason. */
  readonly unusable: ReadonlyMap<string, string>;
  /** As it was reported; undefined for a log of others. */
  readonly reported: ReadonlyMap<string, LatencyRow> | undefined;
  readonly fingerprint: Fingerprint | undefined;
}

/** One of the two that are compared. */
export interface ComparedState {
  readonly name: string;
  /** Oldest first; at least one. */
  readonly runs: readonly StateRun[];
}

export type ComparedVerdict = 'better' | 'not worse' | 'worse' | 'undecided' | 'n/a';

/** One quantile of one row. Numbers are ns; 0 is less than the row's floorNs. */
export interface ComparedQuantile {
  readonly verdict: ComparedVerdict;
  /** Geometric means over the runs; null when n/a. */
  readonly before: number | null;
  readonly after: number | null;
  readonly difference: Difference | null;
  /** runs: how the runs vary is in the interval. samples: one pair, so only what varies within each run is. */
  readonly intervalFrom: 'runs' | 'samples' | null;
  /** That runs of one state differ as much, adjusted for all quantiles of all rows; null when it was not tested. */
  readonly probability: number | null;
}

export interface ComparedRow {
  /** As the tags of the HDR log: `wakeup/other/cpu1/open`. */
  readonly row: string;
  readonly unit: 'ns';
  readonly floorNs: number;
  readonly quantiles: Readonly<Record<QuantileName, ComparedQuantile>>;
}

export interface StateSummary {
  readonly name: string;
  readonly runs: readonly { readonly run: string; readonly time: string; readonly compared: boolean }[];
  /** What changed from the first run of this state to a later one: then they are not of one state. */
  readonly changed: readonly FingerprintDifference[];
}

/** The stable JSON of `hft verify latency compare A B`: additive changes only. */
export interface CompareResult {
  readonly before: StateSummary;
  readonly after: StateSummary;
  /** The runs in the order of time, `ABAB`; A is before. */
  readonly order: string;
  readonly pairs: number;
  readonly answer: 'worse' | 'not worse' | 'undecided' | 'proves nothing';
  readonly why: string;
  /** A quantile may be longer by this part and still count as not worse. */
  readonly tolerance: number;
  readonly rows: readonly ComparedRow[];
  readonly notCompared: readonly { readonly row: string; readonly reason: string }[];
  /** Between the newest runs of both. */
  readonly fingerprint: readonly FingerprintDifference[];
  readonly summary: Readonly<Record<'better' | 'notWorse' | 'worse' | 'undecided' | 'notAvailable', number>>;
}

/** The same runs give the same answer, whenever they are compared. */
const SEED = 1;

/** Pure: from the runs of two states to what is printed. */
export function compareStates(before: ComparedState, after: ComparedState, tolerance: number): CompareResult {
  const notCompared = listNotCompared(before, after);
  const excluded = new Set(notCompared.map(({ row }) => row));
  const usable = ({ runs }: ComparedState) => runs.map((run) => ({ ...run, rows: without(run.rows, excluded) }));
  const compared = compareInterleaved(
    { before: usable(before), after: usable(after) },
    { quantiles: QUANTILES.map(({ q }) => q), seed: SEED },
  );
  const { names, pairs, comparison, order } = compared;
  const rows = names.map((name, i) =>
    describeRow({ name, pairs, comparison, tolerance, quantiles: comparison.rows[i] ?? [] }),
  );
  const paired = new Set(pairs.flatMap((pair) => [pair.before.run, pair.after.run]));
  const summary = summarize(rows);
  const [newest, other] = [before.runs.at(-1)?.fingerprint, after.runs.at(-1)?.fingerprint];
  return {
    before: summarizeState(before, paired),
    after: summarizeState(after, paired),
    order,
    pairs: pairs.length,
    ...answerOf({ rows, summary, notCompared: notCompared.length, comparison, pairs: pairs.length }),
    tolerance,
    rows,
    notCompared,
    fingerprint: newest === undefined || other === undefined ? [] : compareFingerprints(newest, other),
    summary,
  };
}

/** 0 no quantile is worse, 1 one is, 6 undecided. */
export function compareExitCode({ answer }: CompareResult): 0 | 1 | 6 {
  if (answer === 'worse') return 1;
  return answer === 'not worse' ? 0 : 6;
}

function without(rows: ReadonlyMap<string, ComparableRow>, excluded: ReadonlySet<string>): Map<string, ComparableRow> {
  return new Map([...rows].filter(([name]) => !excluded.has(name)));
}

/** Every row that one run has and another one has not, or has otherwise: nothing is dropped silently. */
function listNotCompared(before: ComparedState, after: ComparedState): { row: string; reason: string }[] {
  const runs = [...before.runs, ...after.runs];
  const names = new Set(runs.flatMap(({ rows, unusable }) => [...rows.keys(), ...unusable.keys()]));
  return [...names].flatMap((row) => {
    const reason = whyNotCompared(row, runs);
    return reason === undefined ? [] : [{ row, reason }];
  });
}

function whyNotCompared(row: string, runs: readonly StateRun[]): string | undefined {
  const [first] = runs;
  for (const run of runs) {
    const unusable = run.unusable.get(row);
    if (unusable !== undefined) return `in ${run.run}: ${unusable}`;
    if (!run.rows.has(row)) return `${run.run} does not have it`;
    const [one, other] = [first?.reported?.get(row), run.reported?.get(row)];
    const different = one === undefined || other === undefined ? undefined : differsIn(one, other);
    if (different !== undefined) return `${run.run} was measured otherwise than ${first?.run}: ${different}`;
  }
  return undefined;
}

interface DescribedRow {
  readonly name: string;
  readonly pairs: readonly { readonly before: StateRun; readonly after: StateRun }[];
  readonly comparison: RowsComparison;
  readonly tolerance: number;
  readonly quantiles: readonly QuantileComparison[];
}

function describeRow({ name, pairs, comparison, tolerance, quantiles }: DescribedRow): ComparedRow {
  const runs = pairs.flatMap(({ before, after }) => [before.rows.get(name), after.rows.get(name)]);
  const floorNs = Math.max(0, ...runs.map((run) => run?.floorNs ?? 0));
  const isTested = comparison.answer !== 'proves nothing';
  const [only] = pairs.length === 1 ? runs.slice(0, 1) : [];
  const entries = QUANTILES.map(({ name: quantile, q }, i) => {
    const found = quantiles[i] as QuantileComparison;
    if (found.answer === 'n/a') return [quantile, NOT_AVAILABLE] as const;
    const difference =
      only === undefined ? finite(found.differenceNs) : differenceOf(only.estimate(q), runs[1]?.estimate(q));
    const shown: Omit<ComparedQuantile, 'verdict'> = {
      before: unlessBelow(found.beforeNs, floorNs),
      after: unlessBelow(found.afterNs, floorNs),
      difference: difference ?? { value: found.differenceNs.value, lower: null, upper: null },
      intervalFrom: only === undefined ? 'runs' : 'samples',
      probability: isTested ? found.probability : null,
    };
    const allowedNs = tolerance * Math.max(floorNs, found.beforeNs);
    return [quantile, { verdict: isTested ? judge(found, allowedNs) : 'undecided', ...shown }] as const;
  });
  const byName = Object.fromEntries(entries) as Record<QuantileName, ComparedQuantile>;
  return { row: name, unit: 'ns', floorNs, quantiles: byName };
}

const NOT_AVAILABLE: ComparedQuantile = {
  verdict: 'n/a',
  before: null,
  after: null,
  difference: null,
  intervalFrom: null,
  probability: null,
};

function finite({ value, lower, upper }: QuantileComparison['differenceNs']): Difference {
  const bound = (ns: number) => (Number.isFinite(ns) ? ns : null);
  return { value, lower: bound(lower), upper: bound(upper) };
}

/** Where every run was below what can be seen, the mean is that floor. */
function unlessBelow(ns: number, floorNs: number): number {
  return ns <= floorNs * (1 + 1e-9) ? 0 : ns;
}

/** Not worse is proven too: by an interval whose upper end is within what is allowed. */
function judge({ answer, differenceNs }: QuantileComparison, allowedNs: number): ComparedVerdict {
  if (answer === 'lower') return 'better';
  if (differenceNs.upper <= allowedNs) return 'not worse';
  return answer === 'higher' ? 'worse' : 'undecided';
}

function summarize(rows: readonly ComparedRow[]): CompareResult['summary'] {
  const verdicts = rows.flatMap(({ quantiles }) => Object.values(quantiles).map(({ verdict }) => verdict));
  const count = (wanted: ComparedVerdict) => verdicts.filter((verdict) => verdict === wanted).length;
  return {
    better: count('better'),
    notWorse: count('not worse'),
    worse: count('worse'),
    undecided: count('undecided'),
    notAvailable: count('n/a'),
  };
}

interface Answering {
  readonly rows: readonly ComparedRow[];
  readonly summary: CompareResult['summary'];
  readonly notCompared: number;
  readonly comparison: RowsComparison;
  readonly pairs: number;
}

function answerOf({ rows, summary, notCompared, comparison, pairs }: Answering): Pick<CompareResult, 'answer' | 'why'> {
  const { better, notWorse, worse, undecided } = summary;
  if (rows.length === 0) return { answer: 'undecided', why: 'no row was measured in the same way in all runs' };
  if (comparison.answer === 'proves nothing') return { answer: 'proves nothing', why: comparison.why };
  const of = `of ${better + notWorse + worse + undecided} quantiles, by ${pairs} pairs of runs`;
  if (worse > 0) return { answer: 'worse', why: `${worse} ${of}, ${worse === 1 ? 'is' : 'are'} worse` };
  if (undecided > 0) return { answer: 'undecided', why: `${undecided} ${of}, may be worse` };
  if (better + notWorse === 0)
    return { answer: 'undecided', why: 'every quantile is n/a: the runs have too few samples' };
  if (notCompared > 0)
    return { answer: 'undecided', why: `rows that could not be compared (${notCompared}) may be worse` };
  return { answer: 'not worse', why: `none ${of}, is worse` };
}

function summarizeState({ name, runs }: ComparedState, paired: ReadonlySet<string>): StateSummary {
  const [first, ...others] = runs.flatMap(({ fingerprint }) => fingerprint ?? []);
  const changed = first === undefined ? [] : others.flatMap((other) => compareFingerprints(first, other));
  return {
    name,
    runs: runs.map(({ run, startEpochS }) => ({
      run,
      time: new Date(startEpochS * 1000).toISOString(),
      compared: paired.has(run),
    })),
    changed: changed.filter(({ what }, i) => changed.findIndex((other) => other.what === what) === i),
  };
}
