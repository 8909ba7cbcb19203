import { type ComparedRun, compareRows, PAIRS_MIN, type RowsComparison } from './compare.ts';

/** When a run was begun, seconds since 1970-01-01 UTC. */
export interface Timed {
  readonly startEpochS: number;
}

/** The runs of two states by their times: pairs of neighbours, one of each state, whichever comes first. */
export interface Pairing<Run> {
  readonly pairs: readonly { readonly before: Run; readonly after: Run }[];
  /** Followed by another run of the same state, or the last one: part of no pair. */
  readonly leftOut: readonly Run[];
  /** `ABAB`: the states in the order of time. */
  readonly order: string;
}

/**
 * Pairs the runs of two states by time alone, so that nothing they show decides which of them count. A run that is followed by
 * another of its own state is left out: something may have changed between it and its partner.
 */
export function pairByTime<Run extends Timed>(before: readonly Run[], after: readonly Run[]): Pairing<Run> {
  const labelled = [
    ...before.map((run) => ({ run, state: 'A' as const })),
    ...after.map((run) => ({ run, state: 'B' as const })),
  ].sort((one, other) => one.run.startEpochS - other.run.startEpochS);
  const pairs: { before: Run; after: Run }[] = [];
  const leftOut: Run[] = [];
  let waiting: (typeof labelled)[number] | undefined;
  for (const next of labelled) {
    if (waiting === undefined) waiting = next;
    else if (waiting.state === next.state) {
      leftOut.push(waiting.run);
      waiting = next;
    } else {
      const [first, second] = waiting.state === 'A' ? [waiting, next] : [next, waiting];
      pairs.push({ before: first.run, after: second.run });
      waiting = undefined;
    }
  }
  if (waiting !== undefined) leftOut.push(waiting.run);
  return { pairs, leftOut, order: labelled.map(({ state }) => state).join('') };
}

/** One run of a state, with all that it measured by the name of the row. */
export interface MeasuredRun extends Timed {
  readonly rows: ReadonlyMap<string, ComparedRun>;
}

export interface InterleavedComparison<Run> extends Pairing<Run> {
  readonly comparison: RowsComparison;
  /** Of the rows of `comparison`: those that every paired run has. */
  readonly names: readonly string[];
}

/**
 * Decides between two states from their runs, in any order, by those that alternate: permutation of whole runs, blocks nested in
 * them (docs/latency-statistics.md). Fewer than four pairs prove nothing, which `comparison.answer` says. Pure: the same runs and
 * seed give the same answer.
 */
export function compareInterleaved<Run extends MeasuredRun>(
  runs: { readonly before: readonly Run[]; readonly after: readonly Run[] },
  asked: { readonly quantiles: readonly number[]; readonly seed: number },
): InterleavedComparison<Run> {
  const pairing = pairByTime(runs.before, runs.after);
  const names = sharedNames(pairing.pairs.flatMap(({ before, after }) => [before, after]));
  const rows = names.map((name) =>
    pairing.pairs.map(({ before, after }) => ({ before: rowOf(before, name), after: rowOf(after, name) })),
  );
  return { ...pairing, names, comparison: compareRows(rows, asked) };
}

/** Pairs that are missing for an answer; 0 when there are enough. */
export function pairsMissing({ pairs }: Pick<Pairing<unknown>, 'pairs'>): number {
  return Math.max(0, PAIRS_MIN - pairs.length);
}

function sharedNames(runs: readonly MeasuredRun[]): string[] {
  const [first, ...others] = runs;
  return [...(first?.rows.keys() ?? [])].filter((name) => others.every(({ rows }) => rows.has(name)));
}

function rowOf({ rows }: MeasuredRun, name: string): ComparedRun {
  return rows.get(name) as ComparedRun;
}
