import type { Series } from '../../latency/report/plots.ts';
import type { LatencyRow } from '../../latency/report/row.ts';
import { QUANTILES } from '../../latency/targets/target.ts';
import { printLimit } from '../duration.ts';
import { figure } from './figure.ts';
import type { AttributedResult, BaselinePart } from './input.ts';
import { drawing, LINE_KINDS, label, legendEntry, line, mark } from './mark.ts';
import { joined, type Markup, NOTHING, paragraph, scrolling, section, tag, text } from './markup.ts';
import { type Before, findBefore, groupSeries, maximum } from './percentile-lines.ts';
import { type LogScale, logScale } from './scale.ts';
import { nameCpus, nameMeasure } from './series-name.ts';

const WIDTH = 860;
const HEIGHT = 360;
const LEFT = 62;
const RIGHT = 36;
const TOP = 12;
const BOTTOM = 46;

export interface PercentilePlots {
  readonly result: Pick<AttributedResult, 'probes'>;
  readonly series: readonly Series[];
  readonly baseline?: BaselinePart | undefined;
}

/** For each probe how the latency grows with the percentile, both logarithmic, with intervals, limits, and what was before. */
export function viewPercentiles(plots: PercentilePlots): Markup {
  const figures = groupSeries(plots.series).map((group) => drawFigure(group, plots));
  const body = figures.length > 0 ? figures : [paragraph('There is nothing to draw: no sample was taken.', 'muted')];
  return section('percentiles', 'Latency by percentile', ...body);
}

interface Axes {
  readonly x: LogScale;
  readonly y: LogScale;
}

function drawFigure(group: readonly Series[], { result, baseline }: PercentilePlots): Markup {
  const [first] = group;
  if (first === undefined) return NOTHING;
  const drawn = group.map((series) => ({
    series,
    rows: result.probes.filter((row) => isRowOf(row, series)),
    before: findBefore(series, baseline),
  }));
  const axes = axesFor(drawn);
  const omitted = countOmitted(group);
  const note = [
    first.quantity === 'delay' ? 'what something waits that arrives at a random time' : '',
    omitted > 0 ? `the worst are drawn, ${omitted} more are in the table` : '',
  ].filter((part) => part !== '');
  const legend = drawn.flatMap(({ series, before }, kind) => [
    legendEntry(kind, nameMeasure(series), sayBefore(series, before)),
  ]);
  return figure(
    first.probe,
    note.join('; '),
    scrolling(
      drawing(
        { width: WIDTH, height: HEIGHT, name: `Latency by percentile of ${first.probe}` },
        drawGrid(axes),
        ...drawn.flatMap(({ before }, kind) => (before === undefined ? [] : [drawBefore(before, axes, kind)])),
        ...drawn.map(({ series }, kind) => drawCurve(series, axes, kind)),
        ...drawn.map(({ rows }, kind) => drawIntervals(rows, axes, kind)),
        drawLimits(
          drawn.flatMap(({ rows }) => rows),
          axes,
        ),
      ),
    ),
    tag('ul', { class: 'legend' }, ...legend, plotKeys(drawn)),
  );
}

function sayBefore({ cpus }: Series, before: Before | undefined): string {
  if (before === undefined) return '';
  return before.cpus.join() === cpus.join() ? '' : `(before: ${nameCpus(before.cpus)})`;
}

function countOmitted(group: readonly Series[]): number {
  const totals = new Map(group.map(({ variant, outOf }) => [variant, outOf]));
  return [...totals.values()].reduce((sum, outOf) => sum + outOf, 0) - group.length;
}

function isRowOf(row: LatencyRow, { probe, variant, cpus }: Series): boolean {
  return row.name === probe && row.variant === variant && row.cpus.join() === cpus.join();
}

interface Drawn {
  readonly series: Series;
  readonly rows: readonly LatencyRow[];
  readonly before: Before | undefined;
}

function axesFor(drawn: readonly Drawn[]): Axes {
  const all = drawn.flatMap(({ series, before }) => (before === undefined ? [series] : [series, before]));
  const limits = drawn.flatMap(({ rows }) => rows.flatMap(({ target }) => limitsOf(target).map(([, ns]) => ns)));
  const lows = all.map((series) => Math.max(series.floorNs, series.curve[0]?.[1] ?? 0, 1));
  const highs = [...all.map(maximum), ...limits];
  const deepest = Math.min(...all.map(({ curve }) => curve.at(-1)?.[0] ?? 1), 1e-2);
  return {
    x: logScale({ lowest: 1, highest: 1 / deepest }, [LEFT, WIDTH - RIGHT]),
    y: logScale({ lowest: Math.min(...lows, ...limits), highest: Math.max(...highs) }, [HEIGHT - BOTTOM, TOP]),
  };
}

function drawGrid({ x, y }: Axes): Markup {
  const [bottom, right] = [HEIGHT - BOTTOM, WIDTH - RIGHT];
  // Over many decades P50 has no room beside the minimum.
  const percentiles = [1, ...(x.at(2) - x.at(1) > 34 ? [2] : []), ...x.majors.slice(1)];
  return tag(
    'g',
    { class: 'axes' },
    ...y.minors.map((ns) =>
      line('minor', [
        [LEFT, y.at(ns)],
        [right, y.at(ns)],
      ]),
    ),
    ...y.majors.map((ns) =>
      line('major', [
        [LEFT, y.at(ns)],
        [right, y.at(ns)],
      ]),
    ),
    ...percentiles.map((value) =>
      line('major', [
        [x.at(value), TOP],
        [x.at(value), bottom],
      ]),
    ),
    ...y.majors.map((ns) => label('tick end', [LEFT - 7, y.at(ns) + 4], printDecade(ns))),
    ...percentiles.map((value) => label('tick middle', [x.at(value), bottom + 17], printPercentile(value))),
    label('tick middle', [(LEFT + right) / 2, HEIGHT - 8], 'percentile of the samples'),
  );
}

function printDecade(ns: number): string {
  return ns < 1000 ? `${ns}ns` : printLimit(ns);
}

/** 1 / (1 - p): 10 is P90. */
function printPercentile(value: number): string {
  if (value === 1) return 'min';
  return `P${Number((100 - 100 / value).toPrecision(12))}`;
}

/** Below what the probe sees, the curve lies on that line. */
function pointsOf({ curve, floorNs }: Before, { x, y }: Axes): [number, number][] {
  return curve.map(([above, ns]) => [x.at(1 / above), y.at(Math.max(ns, floorNs))]);
}

function drawCurve(series: Series, axes: Axes, kind: number): Markup {
  const { curve, floorNs } = series;
  const points = pointsOf(series, axes);
  const last = points.at(-1);
  // A mark in each decade, at another place for each line, so that lines that lie on one another can be told apart.
  const marked = points.filter((_, index) => index % 12 === (2 * kind + 6) % 12 && (curve[index]?.[1] ?? 0) > floorNs);
  const name = `${nameMeasure(series)}: maximum ${printLimit(curve.at(-1)?.[1] ?? 0)}`;
  return tag(
    'g',
    {},
    tag('title', {}, text(name)),
    line(`curve k${kind}`, points),
    ...(last === undefined ? [] : [...marked, last].map((point) => mark(kind, point))),
  );
}

function drawBefore(series: Before, axes: Axes, kind: number): Markup {
  return tag(
    'g',
    {},
    tag('title', {}, text(`before: ${nameMeasure(series)}`)),
    line(`before k${kind}`, pointsOf(series, axes)),
  );
}

/** The 95 % intervals of the percentiles that are judged. Without an upper bound the line goes to the top. */
function drawIntervals(rows: readonly LatencyRow[], { x, y }: Axes, kind: number): Markup {
  const [row] = rows;
  if (row === undefined) return NOTHING;
  const bars = QUANTILES.flatMap(({ name, q }) => {
    const { lower, upper } = row.interval[name];
    if (row.percentiles[name] === null && upper === null && lower === 0) return [];
    if (upper === lower) return [];
    const at = x.at(1 / (1 - q)) + (kind - (LINE_KINDS - 1) / 2) * 5;
    const [low, high] = [y.at(Math.max(lower, row.floorNs)), upper === null ? TOP : y.at(Math.max(upper, row.floorNs))];
    const ends =
      upper === null
        ? []
        : [
            line('', [
              [at - 3, high],
              [at + 3, high],
            ]),
          ];
    return [
      tag(
        'g',
        { class: `interval k${kind}${upper === null ? ' open' : ''}` },
        line('', [
          [at, low],
          [at, high],
        ]),
        line('', [
          [at - 3, low],
          [at + 3, low],
        ]),
        ...ends,
      ),
    ];
  });
  return joined(bars);
}

type Limit = readonly [q: number, ns: number, name: string];

function limitsOf(target: LatencyRow['target']): Limit[] {
  if (target === null) return [];
  return QUANTILES.flatMap(({ name, q }) => {
    const ns = target[name];
    return ns === undefined
      ? []
      : [[q, ns, `${target.name}: ${name.toUpperCase()} at most ${printLimit(ns)}`] as const];
  });
}

/** A line with its ends down, as a lid; once where several rows have one limit. */
function drawLimits(rows: readonly LatencyRow[], { x, y }: Axes): Markup {
  const limits = new Map(
    rows.flatMap(({ target }) => limitsOf(target)).map((limit) => [`${limit[0]} ${limit[1]}`, limit]),
  );
  const labels: [number, number][] = [];
  return tag(
    'g',
    { class: 'limits' },
    ...[...limits.values()].map(([q, ns, name]) => {
      const [at, height] = [x.at(1 / (1 - q)), y.at(ns)];
      const isFree = labels.every(([left, top]) => Math.abs(left - at) > 45 || Math.abs(top - height) > 13);
      if (isFree) labels.push([at, height]);
      const points = [
        [at - 20, height + 6],
        [at - 20, height],
        [at + 20, height],
        [at + 20, height + 6],
      ] as const;
      const written = isFree ? [label('limit-text middle', [at, height - 5], `≤${printLimit(ns)}`)] : [];
      return tag('g', {}, tag('title', {}, text(name)), line('limit', points), ...written);
    }),
  );
}

/** What the marks mean that are not of one line. */
function plotKeys(drawn: readonly Drawn[]): Markup {
  const rows = drawn.flatMap((each) => each.rows);
  const hasIntervals = rows.some(({ interval }) => Object.values(interval).some(({ lower, upper }) => lower !== upper));
  const hasLimits = rows.some(({ target }) => limitsOf(target).length > 0);
  const notes = [
    ...(drawn.some(({ before }) => before !== undefined) ? ['thin and dotted: before'] : []),
    ...(hasIntervals ? ['upright bars: 95 % intervals, dotted without an upper bound'] : []),
  ];
  return joined([
    ...(hasLimits ? [tag('li', {}, sampleLimit(), tag('span', {}, text('limit of the profile')))] : []),
    ...notes.map((note) => tag('li', { class: 'muted' }, text(note))),
  ]);
}

function sampleLimit(): Markup {
  const points = [
    [4, 10],
    [4, 5],
    [32, 5],
    [32, 10],
  ] as const;
  return tag(
    'svg',
    { class: 'key', width: 36, height: 14, viewBox: '0 0 36 14', 'aria-hidden': 'true' },
    line('limit', points),
  );
}
