import type { Random } from './random.ts';

/**
 * Which other ways the runs could have been labelled if the change did nothing. Each way gives every pair of runs a place: the
 * values that count as "before" and as "after".
 */
export interface Relabelling {
  /** For each run (before 0, after 0, before 1, after 1 …) whether it counts as "after". */
  readonly isAfter: readonly boolean[];
}

/** With so many pairs, swapping within pairs alone can give a probability below 5 %: 2 of 2 ** 6. */
export const PAIRS_FOR_SWAPS = 6;
const ENUMERATED_MAX = 5000;
const DRAWN = 4999;

/**
 * The relabellings to compare with, the actual one among them. From six pairs on: swaps within pairs, which are right whatever
 * differs from pair to pair. With fewer: any half of the runs, which alternation makes conservative under drift. All of them
 * where they can be counted, else drawn.
 */
export function relabellings(pairs: number, random: Random): Relabelling[] {
  if (pairs < PAIRS_FOR_SWAPS) return halves(2 * pairs);
  if (2 ** pairs <= ENUMERATED_MAX) {
    return Array.from({ length: 2 ** pairs }, (_, bits) => swapped(pairs, (pair) => ((bits >> pair) & 1) === 1));
  }
  const drawn = Array.from({ length: DRAWN }, () => swapped(pairs, () => random.below(2) === 1));
  return [swapped(pairs, () => false), ...drawn];
}

function swapped(pairs: number, isSwapped: (pair: number) => boolean): Relabelling {
  const isAfter: boolean[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const swap = isSwapped(pair);
    isAfter.push(swap, !swap);
  }
  return { isAfter };
}

/** All choices of half of the runs as "after". */
function halves(runs: number): Relabelling[] {
  const found: Relabelling[] = [];
  for (let bits = 0; bits < 2 ** runs; bits++) {
    const isAfter = Array.from({ length: runs }, (_, run) => ((bits >> run) & 1) === 1);
    if (isAfter.filter(Boolean).length * 2 === runs) found.push({ isAfter });
  }
  return found;
}

/**
 * Probabilities adjusted for asking several questions, by Holm's steps with the joint distribution of the statistics (Westfall and
 * Young 1993, step-down maximum): never larger than Holm's, and able to decide with few runs. `statistics[r][i]` is the absolute
 * statistic of question i under relabelling r; `actual` are those of the labels that were.
 */
export function stepDown(actual: readonly number[], statistics: readonly (readonly number[])[]): number[] {
  const order = actual.map((_, i) => i).sort((a, b) => (actual[b] as number) - (actual[a] as number));
  const adjusted = new Array<number>(actual.length).fill(1);
  let least = 0;
  for (const [step, question] of order.entries()) {
    const left = order.slice(step);
    const reached = (row: readonly number[]) =>
      left.some((i) => (row[i] as number) >= (actual[question] as number) * (1 - 1e-12));
    least = Math.max(least, statistics.filter(reached).length / statistics.length);
    adjusted[question] = least;
  }
  return adjusted;
}
