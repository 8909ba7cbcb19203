import type { Series } from '../../latency/report/plots.ts';
import { printNs } from '../duration.ts';
import { figure } from './figure.ts';
import { drawing, label } from './mark.ts';
import { type Markup, paragraph, scrolling, section, tag, text } from './markup.ts';
import { type LogScale, linearSteps, logScale } from './scale.ts';
import { nameMeasure } from './series-name.ts';
import { drawStripAxes, LEFT, RIGHT, WIDTH } from './strip-axes.ts';

/** Of one strip, with its name above it. */
const STRIP = 84;
const NAME = 18;
const BOTTOM = 36;
/** Of one probe. */
const STRIPS_MAX = 8;

/** For each probe a strip per measure: the longest sample of each step of the run, so that what comes by the clock is seen. */
export function viewMaxima(series: readonly Series[]): Markup {
  const probes = [...new Set(series.map(({ probe }) => probe))];
  const figures = probes.map((probe) => drawProbe(series.filter((each) => each.probe === probe)));
  const body = figures.length > 0 ? figures : [paragraph('There is nothing to draw: no sample was taken.', 'muted')];
  return section('maxima', 'Maxima over time', ...body);
}

function drawProbe(own: readonly Series[]): Markup {
  const shown = [...own].sort((one, other) => longest(other) - longest(one)).slice(0, STRIPS_MAX);
  const ordered = own.filter((series) => shown.includes(series));
  const [first] = ordered;
  const stepS = first?.maxima.stepS ?? 1;
  const what = first?.quantity === 'delay' ? 'longest gap' : 'longest sample';
  const note = `${what} of each ${stepS < 1 ? `${Math.round(stepS * 1000)} ms` : `${stepS} s`}`;
  const all = [...new Map(own.map(({ variant, outOf }) => [variant, outOf])).values()].reduce((sum, n) => sum + n, 0);
  const height = ordered.length * STRIP + BOTTOM;
  return figure(
    first?.probe ?? '',
    all > ordered.length ? `${note}; the ${ordered.length} worst of ${all}` : note,
    scrolling(
      drawing(
        { width: WIDTH, height, name: `Maxima over time of ${first?.probe}` },
        ...drawTime(ordered, height),
        ...ordered.map((series, index) => drawStrip(series, { ordered, top: index * STRIP })),
      ),
    ),
  );
}

function longest({ maxima }: Series): number {
  return maxima.maxNs.reduce<number>((max, ns) => Math.max(max, ns ?? 0), 0);
}

function spanS({ maxima }: Series): number {
  return maxima.stepS * maxima.maxNs.length;
}

function timeAt(second: number, ordered: readonly Series[]): number {
  const wholeS = Math.max(...ordered.map(spanS), 1e-9);
  return LEFT + (second / wholeS) * (WIDTH - LEFT - RIGHT);
}

function drawTime(ordered: readonly Series[], height: number): Markup[] {
  const steps = linearSteps(Math.max(...ordered.map(spanS)), 8);
  return [
    tag(
      'g',
      { class: 'axes' },
      ...steps.map((second) =>
        label('tick middle', [timeAt(second, ordered), height - BOTTOM + 16], printSecond(second)),
      ),
      label('tick middle', [(LEFT + WIDTH - RIGHT) / 2, height - 4], 'time since the start of the measurement'),
    ),
  ];
}

function printSecond(second: number): string {
  if (second >= 7200) return `${Number((second / 3600).toPrecision(3))} h`;
  if (second >= 600) return `${Number((second / 60).toPrecision(3))} min`;
  return `${Number(second.toPrecision(3))} s`;
}

/** All strips of a figure have one scale. */
function scaleOf(ordered: readonly Series[]): LogScale {
  const values = ordered.flatMap(({ maxima }) => maxima.maxNs.flatMap((ns) => (ns === null ? [] : [Math.max(1, ns)])));
  const lowest = values.reduce((least, ns) => Math.min(least, ns), Number.POSITIVE_INFINITY);
  const highest = values.reduce((most, ns) => Math.max(most, ns), 1);
  return logScale({ lowest: Math.min(lowest, highest), highest }, [STRIP - 12, NAME]);
}

function drawStrip(
  series: Series,
  { ordered, top }: { readonly ordered: readonly Series[]; readonly top: number },
): Markup {
  const y = scaleOf(ordered);
  const { stepS, maxNs } = series.maxima;
  const width = Math.max(0.6, Math.min(6, (timeAt(stepS, ordered) - LEFT) * 0.7));
  const bottom = top + STRIP - 12;
  const stems = maxNs.flatMap((ns, step) => {
    if (ns === null) return [];
    return [
      `M${round(timeAt((step + 0.5) * stepS, ordered))} ${bottom}V${round(Math.min(top + y.at(ns), bottom - 1))}`,
    ];
  });
  const ticks = y.majors.length > 4 ? [y.majors[0] ?? 1, y.majors.at(-1) ?? 1] : y.majors;
  return tag(
    'g',
    {},
    tag('title', {}, text(`${nameMeasure(series)}: longest ${printNs(longest(series))}`)),
    drawStripAxes({ y, top, ticks, name: `${nameMeasure(series)}, longest ${printNs(longest(series))}` }),
    tag('path', { class: 'stems', d: stems.join(''), 'stroke-width': width }),
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
