import type { Block } from '../histogram/block.ts';
import { Histogram } from '../histogram/histogram.ts';
import { type BucketLayout, PROBE_LAYOUT } from '../histogram/layout.ts';
import { studentTwoSided } from './distributions.ts';
import { PAIRS_FOR_SWAPS, type Relabelling, relabellings, stepDown } from './permutation.ts';
import { seededRandom } from './random.ts';

/** Two runs, one after the other: "before" (A) and "after" (B) of the change. */
export interface RunPair {
  readonly before: readonly Block[];
  readonly after: readonly Block[];
}

/** One quantile of two states. Ratios and differences are after against before. */
export interface QuantileComparison {
  readonly q: number;
  readonly answer: 'lower' | 'higher' | 'undecided' | 'n/a';
  /** Geometric mean over the runs; NaN when n/a. */
  readonly beforeNs: number;
  readonly afterNs: number;
  /** Mean of the pairs' differences and its 95 % interval (Student's); NaN when n/a, unbounded for one pair. */
  readonly differenceNs: { readonly value: number; readonly lower: number; readonly upper: number };
  /** Adjusted for the number of quantiles; 1 when n/a. */
  readonly probability: number;
}

export interface Comparison {
  /** `proves nothing`: too few runs, whatever they show. */
  readonly answer: 'differs' | 'undecided' | 'proves nothing';
  readonly pairs: number;
  /** One sentence without its full stop. */
  readonly why: string;
  readonly quantiles: readonly QuantileComparison[];
}

/** So few pairs can give no probability below 5 %: with three, any half of six runs is one of 20. */
export const PAIRS_MIN = 4;
export const SIGNIFICANT = 0.05;
/** A quantile of a run with fewer samples beyond it is one sample's business. */
export const SAMPLES_BEYOND_MIN = 10;

/** One run of one row. */
export interface ComparedRun {
  /** ns; undefined when too few samples lie beyond it. */
  readonly quantile: (q: number) => number | undefined;
  /** What is shorter is not seen: two values below do not differ. */
  readonly floorNs: number;
}

/** "before" and "after" of one row. */
export interface ComparedPair {
  readonly before: ComparedRun;
  readonly after: ComparedRun;
}

/** Several rows of the same runs: one answer for all. */
export interface RowsComparison extends Pick<Comparison, 'answer' | 'pairs' | 'why'> {
  /** In the order of the rows. */
  readonly rows: readonly (readonly QuantileComparison[])[];
}

interface Asked {
  readonly quantiles: readonly number[];
  readonly seed: number;
}

/**
 * Compares two states by interleaved runs (A B A B …), in the order they were made. The statistic is Student's of the log ratios;
 * its distribution is that of the relabelled runs, so nothing is supposed of the latencies. Every run must have samples.
 */
export function compareRuns(
  pairs: readonly RunPair[],
  { layout = PROBE_LAYOUT, ...asked }: Asked & { readonly layout?: BucketLayout },
): Comparison {
  const runs = pairs.map(({ before, after }) => ({ before: runOf(before, layout), after: runOf(after, layout) }));
  const { rows, ...answer } = compareRows([runs], asked);
  return { ...answer, quantiles: rows[0] ?? [] };
}

function runOf(blocks: readonly Block[], layout: BucketLayout): ComparedRun {
  const run = Histogram.ofBlocks(blocks, layout);
  if (run.count === 0) throw new RangeError('a run without samples cannot be compared');
  const isUsable = (q: number) => run.count * (1 - q) >= SAMPLES_BEYOND_MIN * (1 - 1e-9);
  return { floorNs: 1, quantile: (q) => (isUsable(q) ? run.quantile(q) : undefined) };
}

/**
 * The same for several rows that the same runs measured: `rows[r][i]` is row r in the i-th pair of runs. A run is relabelled as a
 * whole, in all rows at once, and probabilities are adjusted for all quantiles of all rows.
 */
export function compareRows(rows: readonly (readonly ComparedPair[])[], { quantiles, seed }: Asked): RowsComparison {
  const pairs = rows[0]?.length ?? 0;
  const questions = rows.flatMap((row) => quantiles.map((q) => readQuestion(row, q)));
  const known = questions.filter((question) => question.values !== undefined);
  const logs = known.map(({ values = [], floorNs }) => values.map((value) => Math.log(Math.max(floorNs, value))));
  const probabilities = pairs < PAIRS_MIN ? known.map(() => 1) : adjustedProbabilities(logs, seed);
  const results = questions.map((question) => {
    const i = known.indexOf(question);
    return i < 0 ? notAvailable(question.q) : compared(question, logs[i] ?? [], probabilities[i] ?? 1);
  });
  const byRow = rows.map((_, row) => results.slice(row * quantiles.length, (row + 1) * quantiles.length));
  return { pairs, rows: byRow, ...answerOf(pairs, results) };
}

/** One quantile of one row: its values run by run (before 0, after 0, before 1 …), undefined when a run cannot tell it. */
interface Question {
  readonly q: number;
  readonly floorNs: number;
  readonly values: readonly number[] | undefined;
}

function readQuestion(row: readonly ComparedPair[], q: number): Question {
  const runs = row.flatMap(({ before, after }) => [before, after]);
  const values = runs.flatMap((run) => run.quantile(q) ?? []);
  return {
    q,
    floorNs: Math.max(1, ...runs.map(({ floorNs }) => floorNs)),
    values: values.length === runs.length ? values : undefined,
  };
}

function answerOf(pairs: number, results: readonly QuantileComparison[]): Pick<Comparison, 'answer' | 'why'> {
  if (pairs < PAIRS_MIN) {
    const runs = pairs === 1 ? 'one pair of runs' : `${pairs} pairs of runs`;
    return {
      answer: 'proves nothing',
      why: `${runs} cannot tell the change from chance, ${PAIRS_MIN} interleaved pairs can`,
    };
  }
  const differ = results.filter(({ answer }) => answer === 'lower' || answer === 'higher');
  if (differ.length > 0) return { answer: 'differs', why: `${differ.length} of ${results.length} quantiles differ` };
  return { answer: 'undecided', why: 'the runs of one state differ among themselves as much as from the other state' };
}

function notAvailable(q: number): QuantileComparison {
  const nothing = { value: Number.NaN, lower: Number.NaN, upper: Number.NaN };
  return { q, answer: 'n/a', beforeNs: Number.NaN, afterNs: Number.NaN, differenceNs: nothing, probability: 1 };
}

function compared({ q, values = [] }: Question, logs: readonly number[], probability: number): QuantileComparison {
  const [before, after] = split(logs);
  const change = mean(after) - mean(before);
  const decided = change < 0 ? 'lower' : 'higher';
  return {
    q,
    answer: probability <= SIGNIFICANT ? decided : 'undecided',
    beforeNs: Math.exp(mean(before)),
    afterNs: Math.exp(mean(after)),
    differenceNs: studentInterval(differences(values)),
    probability,
  };
}

/** Before and after of values in the order of the runs. */
function split(values: readonly number[]): [before: number[], after: number[]] {
  return [values.filter((_, i) => i % 2 === 0), values.filter((_, i) => i % 2 === 1)];
}

function differences(values: readonly number[]): number[] {
  const [before, after] = split(values);
  return after.map((value, i) => value - (before[i] as number));
}

function studentInterval(values: readonly number[]): { value: number; lower: number; upper: number } {
  const value = mean(values);
  if (values.length < 2) return { value, lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
  const half = studentTwoSided(values.length - 1, 0.95) * Math.sqrt(variance(values) / values.length);
  return { value, lower: value - half, upper: value + half };
}

/** For each question, from the logarithm of its value in each run (before 0, after 0, before 1, after 1 …). */
export function adjustedProbabilities(logs: readonly (readonly number[])[], seed: number): number[] {
  const pairs = (logs[0]?.length ?? 0) / 2;
  const actual = logs.map((values) => statistic(values, { isAfter: values.map((_, i) => i % 2 === 1) }));
  const rows = relabellings(pairs, seededRandom(seed)).map((labels) => logs.map((values) => statistic(values, labels)));
  return stepDown(actual, rows);
}

/** Differences below the histogram's resolution, one in a thousand, are none. */
const RESOLUTION = 1e-3;

/** The absolute Student statistic: of the pairs' differences where labels are swapped within pairs, else of the two halves. */
function statistic(values: readonly number[], { isAfter }: Relabelling): number {
  const after = values.filter((_, i) => isAfter[i]);
  const before = values.filter((_, i) => !isAfter[i]);
  const pairs = values.length / 2;
  const spread =
    pairs >= PAIRS_FOR_SWAPS
      ? variance(after.map((value, i) => value - (before[i] as number)))
      : variance(after) + variance(before);
  return Math.abs(mean(after) - mean(before)) / Math.sqrt((spread + RESOLUTION ** 2) / pairs);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}
