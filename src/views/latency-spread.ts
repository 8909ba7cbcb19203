import { BINS_PER_DECADE } from '../latency/report/curve.ts';
import type { LatencyPlots, Series } from '../latency/report/plots.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { printLimit } from './duration.ts';
import { indented, paint, type Terminal } from './terminal.ts';

/** Of the names: as wide as they are, and no more than leaves the axis its room. */
const LABEL_MIN = 16;
/** Narrower, and the decades cannot be told apart. */
const COLUMNS_MIN = 60;
const BARS = '▁▂▃▄▅▆▇█';
const ASCII_BARS = '.:-=+*#@';
const KEY = 'A full bar is a tenth of the samples or more; each step down a tenth of that.';
/** A line for each variant; more than so many push the verdicts off the screen. */
const LINES_MAX = 12;

/**
 * How the samples spread: a line for the worst measure of each variant, all on one axis. Both ways are logarithmic, so that one
 * sample in a million is seen beside the many: each step down is a tenth.
 */
export function viewSpread({ series }: LatencyPlots, terminal: Terminal): string {
  const drawn = worstOfEach(series).filter(({ bins }) => bins.shares.length > 0);
  if (drawn.length === 0 || terminal.columns < COLUMNS_MIN) return '';
  const decades = decadesOf(drawn);
  const names = drawn.slice(0, LINES_MAX).map(nameOf);
  const widest = Math.max(...names.map((name) => name.length)) + 4;
  const margin = Math.max(LABEL_MIN, Math.min(widest, Math.floor(terminal.columns / 3)));
  const room = terminal.columns - margin - 1;
  const perDecade = Math.max(2, Math.min(12, Math.floor(room / (decades.last - decades.first))));
  const shown = drawn.slice(0, LINES_MAX);
  const scale = { ...decades, perDecade, margin };
  const lines = shown.map((each) => {
    const bars = columnsOf(each, scale).map((share) => bar(share, terminal));
    return `  ${nameOf(each)
      .slice(0, margin - 4)
      .padEnd(margin - 2)}${bars.join('')}`.trimEnd();
  });
  const rest = drawn.length - shown.length;
  return [
    paint(terminal, 'bold', 'Spread'),
    paint(terminal, 'dim', axis(scale, terminal.columns)),
    ...lines,
    ...(rest > 0 ? [paint(terminal, 'dim', `  and ${rest} more: --report FILE.html`)] : []),
    paint(terminal, 'dim', indented(KEY, terminal, 2)),
  ].join('\n');
}

/** Of each variant the measure with the longest maximum. */
function worstOfEach(series: readonly Series[]): readonly Series[] {
  const worst = new Map<string, Series>();
  for (const each of series) {
    const key = `${each.probe} ${each.variant}`;
    const known = worst.get(key);
    if (known === undefined || longest(each) > longest(known)) worst.set(key, each);
  }
  return [...worst.values()];
}

function longest({ curve }: Series): number {
  return curve.at(-1)?.[1] ?? 0;
}

interface Decades {
  /** Exponents of ten, ns. */
  readonly first: number;
  readonly last: number;
}

function decadesOf(series: readonly Series[]): Decades {
  const firsts = series.map(({ bins }) => Math.floor(bins.first / BINS_PER_DECADE));
  const lasts = series.map(({ bins }) => Math.floor((bins.first + bins.shares.length - 1) / BINS_PER_DECADE) + 1);
  return { first: Math.min(...firsts), last: Math.max(...lasts) };
}

interface Axis extends Decades {
  readonly perDecade: number;
  /** Before the axis. */
  readonly margin: number;
}

/** The shares of all bins that begin in a column; a bin wider than a column is spread over those that it covers. */
function columnsOf({ bins }: Series, { first, last, perDecade }: Axis): number[] {
  const cells = new Array<number>((last - first) * perDecade).fill(0);
  bins.shares.forEach((share, index) => {
    const place = (bin: number) => ((bin - first * BINS_PER_DECADE) * perDecade) / BINS_PER_DECADE;
    const from = Math.floor(place(bins.first + index));
    const to = Math.max(from + 1, Math.floor(place(bins.first + index + 1)));
    for (let cell = from; cell < to; cell++) cells[cell] = (cells[cell] ?? 0) + share / (to - from);
  });
  return cells;
}

function bar(share: number, { ascii }: Terminal): string {
  if (share <= 0) return ' ';
  const bars = ascii ? ASCII_BARS : BARS;
  const step = Math.max(0, bars.length + Math.floor(Math.log10(share * 1.0001)));
  return bars[Math.min(bars.length - 1, step)] as string;
}

/** `10ns      100ns     1us`, each where its decade begins; not where the one before it or the edge leaves no room. */
function axis({ first, last, perDecade, margin }: Axis, columns: number): string {
  let line = ' '.repeat(margin);
  for (let decade = first; decade <= last; decade++) {
    const at = margin + (decade - first) * perDecade;
    const label = printDecade(decade);
    const isFree = line.length <= Math.max(at, margin) && at + label.length <= columns;
    if (isFree) line = `${line.padEnd(at)}${label} `;
  }
  return line.trimEnd();
}

function printDecade(exponent: number): string {
  return exponent === 2 ? '100ns' : printLimit(10 ** exponent);
}

function nameOf({ probe, variant, cpus }: Series): string {
  const where = cpus.length === 2 ? cpus.join('-') : printCpulist(cpus);
  return [probe, variant === '' ? `CPU ${where}` : variant].join(' ');
}
