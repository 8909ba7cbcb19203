import { adjustedProbabilities, PAIRS_MIN, SIGNIFICANT } from './compare.ts';

/** One figure of every run of two states; less is better. */
export interface StateFigure {
  readonly name: string;
  /** One for each pair, in the order of the runs. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** What is smaller counts as this: no run can see it. Above 0. */
  readonly least: number;
}

export interface FigureComparison {
  readonly name: string;
  /** Geometric means over the runs. */
  readonly before: number;
  readonly after: number;
  readonly answer: 'lower' | 'higher' | 'undecided';
  /** Adjusted for the number of figures. */
  readonly probability: number;
}

export interface StateComparison {
  /** better: something is lower and nothing higher. mixed: both. */
  readonly answer: 'better' | 'worse' | 'mixed' | 'undecided';
  readonly figures: readonly FigureComparison[];
}

/**
 * Compares two states by interleaved runs (A B A B …): as compareRuns does, with figures of whole runs in place of quantiles.
 * Every figure has one value of each run.
 */
export function compareStates(figures: readonly StateFigure[], seed: number): StateComparison {
  const logs = figures.map(({ before, after, least }) =>
    before.flatMap((value, at) => [value, after[at] as number].map((each) => Math.log(Math.max(least, each)))),
  );
  const pairs = figures[0]?.before.length ?? 0;
  const probabilities = pairs < PAIRS_MIN ? figures.map(() => 1) : adjustedProbabilities(logs, seed);
  const compared = figures.map((figure, at): FigureComparison => {
    const { name, least } = figure;
    const [before, after] = [figure.before, figure.after].map((values) => geometricMean(values, least));
    const probability = probabilities[at] as number;
    const direction = (after as number) < (before as number) ? 'lower' : 'higher';
    const answer = probability <= SIGNIFICANT ? direction : 'undecided';
    return { name, before: before as number, after: after as number, answer, probability };
  });
  const [isLower, isHigher] = (['lower', 'higher'] as const).map((way) =>
    compared.some(({ answer }) => answer === way),
  );
  const decided = isLower ? 'better' : 'worse';
  if (!isLower && !isHigher) return { answer: 'undecided', figures: compared };
  return { answer: isLower && isHigher ? 'mixed' : decided, figures: compared };
}

function geometricMean(values: readonly number[], least: number): number {
  const logs = values.map((value) => Math.log(Math.max(least, value)));
  return Math.exp(logs.reduce((sum, each) => sum + each, 0) / values.length);
}
