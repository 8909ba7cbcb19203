import type { LatencyRow } from '../../latency/report/row.ts';
import { QUANTILES } from '../../latency/targets/target.ts';
import { printLimit, printNs } from '../duration.ts';
import { sayTime } from './header.ts';
import type { AttributedResult, BaselinePart } from './input.ts';
import { type Markup, NOTHING, paragraph, scrolling, section, tag, text } from './markup.ts';
import { nameCpus, nameMeasure } from './series-name.ts';

/** Of one measurement, and in all: the figure before it has the whole, and --json every row. */
const ROWS_OF_ONE = 8;
const ROWS_MAX = 80;

/** Each row beside the one of before: of the same CPUs where they were measured, else the worst of its variant. */
export function viewBeforeAfter(result: AttributedResult, baseline: BaselinePart | undefined): Markup {
  if (baseline === undefined) return NOTHING;
  const pairs = result.probes.flatMap((row) => {
    const before = findBefore(row, baseline.result.probes);
    return before === undefined ? [] : [{ row, before }];
  });
  const intro = `Before is ${baseline.name}, measured ${sayTime(baseline.time)} on ${baseline.result.host}. One run before and one after prove nothing: the host may have changed meanwhile. \`hft verify latency compare\` decides on runs that alternate.`;
  if (pairs.length === 0) {
    return section(
      'before',
      'Before and after',
      paragraph(intro),
      paragraph('Nothing was measured both times.', 'muted'),
    );
  }
  const heads = ['measurement', ...QUANTILES.map(({ name }) => name.toUpperCase()), 'max'];
  const head = tag('tr', {}, ...heads.map((name) => tag('th', { scope: 'col' }, text(name))));
  const rows = choosePairs(pairs).map((pair) => viewPair(pair, heads));
  const left = pairs.length - rows.length;
  return section(
    'before',
    'Before and after',
    paragraph(intro),
    scrolling(tag('table', {}, tag('thead', {}, head), tag('tbody', {}, ...rows))),
    left > 0 ? paragraph(`${left} more are in --json.`, 'muted') : NOTHING,
  );
}

interface Pair {
  readonly row: LatencyRow;
  readonly before: LatencyRow;
}

/** The longest maxima of each measurement, in the order of the result. */
function choosePairs(pairs: readonly Pair[]): readonly Pair[] {
  const groups = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const key = `${pair.row.name} ${pair.row.variant} ${pair.row.part ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), pair]);
  }
  const byMaximum = (one: Pair, other: Pair) => (other.row.percentiles.max ?? 0) - (one.row.percentiles.max ?? 0);
  const chosen = new Set([...groups.values()].flatMap((own) => own.sort(byMaximum).slice(0, ROWS_OF_ONE)));
  return pairs.filter((pair) => chosen.has(pair)).slice(0, ROWS_MAX);
}

function findBefore(row: LatencyRow, candidates: readonly LatencyRow[]): LatencyRow | undefined {
  const alike = candidates.filter(
    (each) => each.name === row.name && each.variant === row.variant && (each.part ?? null) === (row.part ?? null),
  );
  const same = alike.find((each) => each.cpus.join() === row.cpus.join());
  return same ?? [...alike].sort((one, other) => (other.percentiles.max ?? 0) - (one.percentiles.max ?? 0))[0];
}

function viewPair({ row, before }: Pair, heads: readonly string[]): Markup {
  const isMoved = row.cpus.join() !== before.cpus.join();
  const name = `${row.name} ${nameMeasure(row)}${isMoved ? ` (before: ${nameCpus(before.cpus)})` : ''}`;
  const names = [...QUANTILES.map((each) => each.name), 'max' as const];
  return tag(
    'tr',
    {},
    tag('th', { scope: 'row' }, text(name)),
    ...names.map((each, index) => {
      const [was, is] = [before.percentiles[each], row.percentiles[each]];
      return tag(
        'td',
        { class: 'number', 'data-label': heads[index + 1] },
        tag('span', { class: 'figure' }, text(`${value(was, before.floorNs)} → ${value(is, row.floorNs)}`)),
        tag('span', { class: 'small' }, text(sayFactor(was, is))),
      );
    }),
  );
}

function value(ns: number | null, floorNs: number): string {
  if (ns === null) return 'n/a';
  return ns === 0 ? `<${printLimit(Math.ceil(floorNs))}` : printNs(ns);
}

function sayFactor(was: number | null, is: number | null): string {
  if (!was || !is) return '';
  const factor = is / was;
  return factor >= 1 ? `× ${Number(factor.toPrecision(3))}` : `÷ ${Number((1 / factor).toPrecision(3))}`;
}
