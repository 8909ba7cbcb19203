import type { CoreMatrix } from '../../latency/report/plots.ts';
import { printNs } from '../duration.ts';
import { figure } from './figure.ts';
import { drawing, label } from './mark.ts';
import { type Markup, NOTHING, scrolling, section, tag, text } from './markup.ts';

/** Light to dark; more could not be told apart. */
const LEVELS = 7;
const LEFT = 46;
const TOP = 30;
const LARGEST = 48;
const ROOM = 780;
/** Cells of more CPUs than this have no room for their number. */
const NUMBERED_MAX = 18;

/** How long a cache line takes from each CPU to each other and back. */
export function viewHeatMaps(matrices: readonly CoreMatrix[]): Markup {
  const drawn = matrices.filter(({ cpus }) => cpus.length > 1);
  if (drawn.length === 0) return NOTHING;
  return section('core-to-core', 'Core to core', ...drawn.map(drawMatrix));
}

function drawMatrix(matrix: CoreMatrix): Markup {
  const { cpus, variant } = matrix;
  const cell = Math.max(5, Math.min(LARGEST, Math.floor(ROOM / cpus.length)));
  const size = cell * cpus.length;
  const steps = stepsOf(matrix);
  const title = variant === '' ? 'Median round trip' : `Median round trip, ${variant}`;
  return figure(
    title,
    'of a cache line; one way is about half of it',
    scrolling(
      drawing(
        { width: Math.max(LEFT + size + 8, 320), height: TOP + size + 8, name: `${title} between CPUs` },
        ...nameAxes(cpus, cell),
        ...Array.from({ length: LEVELS }, (_, level) => drawLevel(matrix, { cell, level, steps })),
        ...(cpus.length <= NUMBERED_MAX ? numberCells(matrix, { cell, steps }) : []),
      ),
    ),
    explainLevels(matrix, steps),
  );
}

/** Upper ends of the levels: even parts of the sorted medians, so that one slow pair does not make all others alike. */
function stepsOf({ medianNs }: CoreMatrix): number[] {
  const sorted = [...new Set(medianNs.flat().filter((ns): ns is number => ns !== null))].sort((a, b) => a - b);
  const levels = Math.min(LEVELS, sorted.length);
  const ends = Array.from(
    { length: levels },
    (_, level) => sorted[Math.ceil(((level + 1) * sorted.length) / levels) - 1],
  );
  return ends.filter((ns): ns is number => ns !== undefined);
}

/** The darkest level is always used, whatever the number of levels. */
function levelOf(ns: number, steps: readonly number[]): number {
  const index = steps.findIndex((end) => ns <= end);
  return steps.length <= 1 ? 2 : Math.round((index * (LEVELS - 1)) / (steps.length - 1));
}

interface Cells {
  readonly cell: number;
  readonly steps: readonly number[];
}

/** One path for all cells of a level: a matrix of hundreds of CPUs stays small. */
function drawLevel({ medianNs }: CoreMatrix, { cell, level, steps }: Cells & { readonly level: number }): Markup {
  const gap = cell > 12 ? 2 : 0;
  const side = cell - gap;
  const parts = medianNs.flatMap((line, row) =>
    line.flatMap((ns, column) =>
      ns === null || levelOf(ns, steps) !== level
        ? []
        : [`M${LEFT + column * cell} ${TOP + row * cell}h${side}v${side}h-${side}z`],
    ),
  );
  return parts.length === 0 ? NOTHING : tag('path', { class: `heat h${level}`, d: parts.join('') });
}

function nameAxes(cpus: readonly number[], cell: number): Markup[] {
  const every = Math.max(1, Math.ceil(18 / cell));
  const named = cpus.map((cpu, index) => ({ cpu, index })).filter(({ index }) => index % every === 0);
  return [
    label('tick', [0, TOP - 8], 'CPU'),
    ...named.map(({ cpu, index }) => label('tick middle', [LEFT + (index + 0.5) * cell - 1, TOP - 8], `${cpu}`)),
    ...named.map(({ cpu, index }) => label('tick end', [LEFT - 8, TOP + (index + 0.5) * cell + 3], `${cpu}`)),
  ];
}

function numberCells({ medianNs, cpus }: CoreMatrix, { cell, steps }: Cells): Markup[] {
  return medianNs.flatMap((line, row) =>
    line.flatMap((ns, column) => {
      if (ns === null) return [];
      const place = [LEFT + (column + 0.5) * cell - 1, TOP + (row + 0.5) * cell + 3] as const;
      const name = `CPU ${cpus[row]} to ${cpus[column]} and back: ${printNs(ns)}`;
      return [
        tag(
          'g',
          {},
          tag('title', {}, text(name)),
          label(`cell middle on-h${levelOf(ns, steps)}`, place, ns < 10_000 ? `${Math.round(ns)}` : printNs(ns)),
        ),
      ];
    }),
  );
}

function explainLevels({ medianNs, cpus }: CoreMatrix, steps: readonly number[]): Markup {
  const all = medianNs.flat().filter((ns): ns is number => ns !== null);
  const entries = steps.map((end, index) => {
    const from = all
      .filter((ns) => index === 0 || ns > (steps[index - 1] as number))
      .reduce((a, b) => Math.min(a, b), end);
    const range = from === end ? printNs(end) : `${printNs(from)} to ${printNs(end)}`;
    const swatch = tag(
      'svg',
      { class: 'key', width: 14, height: 14, viewBox: '0 0 14 14', 'aria-hidden': 'true' },
      tag('rect', { class: `heat h${levelOf(end, steps)}`, width: 14, height: 14 }),
    );
    return tag('li', {}, swatch, text(range));
  });
  const unit =
    cpus.length <= NUMBERED_MAX ? [tag('li', { class: 'muted' }, text('numbers without a unit are ns'))] : [];
  return tag('ul', { class: 'legend' }, ...entries, ...unit);
}
