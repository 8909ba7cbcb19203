import { type Figure, listFigures, median } from './measure.ts';

export interface BenchPlaces {
  readonly node: string;
  readonly hft: string;
  /** An empty folder that is removed afterwards. */
  readonly scratch: string;
}

interface Table {
  readonly title: string;
  readonly figures: ReadonlyMap<string, readonly Figure[]>;
  /** Which time is judged. */
  readonly of: keyof Figure;
  readonly base: string;
  /** At most this many times the base, or this much more than it. */
  readonly most: { readonly ratio: number } | { readonly moreMs: number };
}

/** Prints medians, ratios and every figure. True when all are within what is wanted. */
export function printTable({ title, figures, of, base, most }: Table): boolean {
  const middle = (name: string, unit: keyof Figure) => median((figures.get(name) ?? []).map((figure) => figure[unit]));
  const baseMs = middle(base, of);
  let isMet = true;
  console.log(`\n${title}: medians of ${figures.get(base)?.length} runs in turn, ms`);
  for (const [name, runs] of figures) {
    const ms = middle(name, of);
    const isWithin = 'ratio' in most ? ms / baseMs <= most.ratio : ms - baseMs <= most.moreMs;
    if (name !== base && !isWithin) isMet = false;
    const relation =
      'ratio' in most ? `${(ms / baseMs).toFixed(2)} x` : `${ms < baseMs ? '' : '+'}${(ms - baseMs).toFixed(0)}`;
    const cells = [
      name.padEnd(34),
      `cpu ${middle(name, 'cpuMs').toFixed(1).padStart(7)}`,
      `wall ${middle(name, 'wallMs').toFixed(1).padStart(7)}`,
      name === base ? '' : `${relation.padStart(8)} ${isWithin ? 'as wanted' : 'MISSED'}`,
    ];
    console.log(`  ${cells.join('  ')}\n    ${of}: ${listFigures(runs.map((run) => run[of]))}`);
  }
  console.log(`  wanted: at most ${'ratio' in most ? `${most.ratio} x` : `${most.moreMs} ms more than`} ${base}`);
  return isMet;
}
