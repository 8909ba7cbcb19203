import type { LatencyRow } from '../../latency/report/row.ts';
import { QUANTILES, type QuantileName } from '../../latency/targets/target.ts';
import { printLimit, printNs } from '../duration.ts';
import type { AttributedResult } from './input.ts';
import { joined, type Markup, NOTHING, paragraph, scrolling, section, tag, text } from './markup.ts';
import { nameMeasure, sayConditions } from './series-name.ts';

/** Rows of one measurement that are seen at once; the rest opens. */
const SHOWN = 8;
/** In the whole page, beside those that are seen at once: a host of hundreds of CPUs has tens of thousands of pairs. */
const HIDDEN_MAX = 400;

export function viewVerdicts(result: AttributedResult): Markup {
  const { probes } = result;
  if (probes.length === 0)
    return section('verdicts', 'Verdicts', paragraph('Nothing was measured.'), listMissing(result));
  let room = HIDDEN_MAX;
  const groups = groupRows(probes).map((rows, index, all) => {
    const hidden = Math.min(room, Math.max(0, rows.length - SHOWN));
    room -= hidden;
    return viewGroup(rows, { hidden, hasHead: all[index - 1]?.[0]?.name !== rows[0]?.name });
  });
  return section('verdicts', 'Verdicts', ...groups, listMissing(result));
}

/** Measurements that differ in their CPUs alone. */
function groupRows(rows: readonly LatencyRow[]): LatencyRow[][] {
  const groups = new Map<string, LatencyRow[]>();
  for (const row of rows) {
    const key = [row.name, sayConditions(row), row.target?.name].join('|');
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

interface GroupShape {
  /** Rows that open. */
  readonly hidden: number;
  /** The first of its probe: its columns stand for those of the others. */
  readonly hasHead: boolean;
}

function viewGroup(rows: readonly LatencyRow[], { hidden, hasHead }: GroupShape): Markup {
  const [first] = rows;
  if (first === undefined) return NOTHING;
  const sorted = rows.length > SHOWN ? [...rows].sort(byVerdict) : rows;
  const more = sorted.slice(SHOWN, SHOWN + hidden);
  const left = rows.length - Math.min(SHOWN, rows.length) - more.length;
  const title = tag(
    'h3',
    {},
    tag('span', {}, text(first.name)),
    tag('span', { class: 'muted' }, text(` ${sayConditions(first)}`)),
  );
  return joined([
    title,
    table(sorted.slice(0, SHOWN), hasHead),
    ...(more.length === 0
      ? []
      : [tag('details', {}, tag('summary', {}, text(`${more.length} more of ${rows.length}`)), table(more, false))]),
    ...(left > 0 ? [paragraph(`${left} more are in --json.`, 'muted')] : []),
  ]);
}

const SEVERITY = ['fail', 'inconclusive', 'pass'];

function byVerdict(one: LatencyRow, other: LatencyRow): number {
  const rank = ({ verdict }: LatencyRow) => (verdict === null ? SEVERITY.length : SEVERITY.indexOf(verdict));
  return rank(one) - rank(other) || (other.percentiles.max ?? 0) - (one.percentiles.max ?? 0);
}

function table(rows: readonly LatencyRow[], hasHead: boolean): Markup {
  const heads = ['where', ...QUANTILES.map(({ name }) => name.toUpperCase()), 'max', 'samples', 'verdict'];
  const head = tag('tr', {}, ...heads.map((name) => tag('th', { scope: 'col' }, text(name))));
  const columns = [16, 13, 13, 13, 13, 8, 12, 12].map((percent) => tag('col', { style: `width:${percent}%` }));
  return scrolling(
    tag(
      'table',
      { class: 'verdicts' },
      tag('colgroup', {}, ...columns),
      tag('thead', { class: hasHead ? undefined : 'unseen' }, head),
      tag('tbody', {}, ...rows.flatMap(viewRow)),
    ),
  );
}

function viewRow(row: LatencyRow): Markup[] {
  const { samples, durationS, gaps, percentiles, floorNs } = row;
  const count = gaps === null ? `${samples}` : `${samples} gaps`;
  const rate =
    gaps === null ? [] : [`${Number(gaps.perSecond.toPrecision(3))}/s`, `${percent(gaps.stolenShare)} taken`];
  const main = tag(
    'tr',
    {},
    tag('th', { scope: 'row' }, text(nameMeasure(row))),
    ...QUANTILES.map(({ name }) => viewPercentile(row, name)),
    cell('max', [value(percentiles.max, floorNs)]),
    cell('samples', [count, `in ${durationS.toFixed(1)} s`, ...rate]),
    tag('td', { 'data-label': 'verdict' }, badge(row)),
  );
  return [main, ...viewBeside(row)];
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}\u00A0%`;
}

function viewPercentile(row: LatencyRow, name: QuantileName): Markup {
  const { lower, upper } = row.interval[name];
  const limit = row.target?.[name];
  const bounds =
    upper === 0 || (upper === null && lower === 0)
      ? []
      : [`${value(lower, row.floorNs)} to ${upper === null ? '?' : value(upper, row.floorNs)}`];
  const judged = row.judgements[name]?.verdict;
  const lines = [...bounds, ...(limit === undefined ? [] : [`limit ${printLimit(limit)}`])];
  const why = row.notAvailable[name];
  return cell(name.toUpperCase(), [value(row.percentiles[name], row.floorNs), ...lines], { judged, why });
}

/** A figure, and smaller what belongs to it. `why` is seen when the pointer rests on it. */
function cell(
  name: string,
  [first = '', ...lines]: readonly string[],
  { judged, why }: { readonly judged?: string | undefined; readonly why?: string | undefined } = {},
): Markup {
  return tag(
    'td',
    { class: `number ${judged ?? ''}`.trim(), 'data-label': name, title: why },
    tag('span', { class: 'figure' }, text(first)),
    ...lines.map((each) => tag('span', { class: 'small' }, text(each))),
  );
}

function value(ns: number | null, floorNs: number): string {
  if (ns === null) return 'n/a';
  return ns === 0 ? `<${printLimit(Math.ceil(floorNs))}` : printNs(ns);
}

/** A sign beside the colour, for print and for eyes that do not see it. */
const SIGNS: Readonly<Record<string, string>> = { pass: '✓', fail: '✗', inconclusive: '?' };

function badge({ verdict, notJudged, target, judgements }: LatencyRow): Markup {
  if (verdict === null) {
    const said = target === null && notJudged === null ? 'no limit' : 'not judged';
    return joined([tag('span', { class: 'badge none' }, text(said)), ...small(notJudged)]);
  }
  const lengths = Object.values(judgements).flatMap((judged) => judged?.decidesAfterS ?? []);
  const would =
    verdict === 'inconclusive' && lengths.length > 0 ? `decided in ${sayLength(Math.max(...lengths))}` : null;
  const shown = tag('span', { class: `badge ${verdict}` }, text(`${SIGNS[verdict] ?? ''} ${verdict}`));
  return joined([shown, ...small(target === null ? null : target.name), ...small(would)]);
}

function sayLength(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}

function small(said: string | null): Markup[] {
  return said === null ? [] : [tag('span', { class: 'small' }, text(said))];
}

/** The closed loop, cyclictest's way of counting, or the work of a stage alone, of the same run. */
function viewBeside({ beside, floorNs, synthetic }: LatencyRow): Markup[] {
  if (beside === null) return [];
  const service = synthetic ? 'work alone' : 'as cyclictest counts';
  const name = beside.rule === 'service' ? service : 'as closed loop';
  const figures = [...QUANTILES.map(({ name: each }) => each), 'max' as const].map((each) =>
    cell(each === 'max' ? 'max' : each.toUpperCase(), [value(beside.percentiles[each], floorNs)]),
  );
  return [
    tag(
      'tr',
      { class: 'beside' },
      tag('th', { scope: 'row' }, text(name)),
      ...figures,
      cell('samples', [`${beside.samples}`]),
      tag('td', { 'data-label': 'verdict' }, text('never judged')),
    ),
  ];
}

function listMissing({ notMeasured }: AttributedResult): Markup {
  if (notMeasured.length === 0) return NOTHING;
  const items = notMeasured.map(({ probe, variant, target, reason, need }) => {
    const name = target ?? [probe, variant].filter((part) => part !== '').join(' ');
    const said = need === null ? reason : `${reason.replace(/\.$/, '')}. It needs ${need}.`;
    return tag('li', {}, tag('strong', {}, text(name)), text(` ${said}`));
  });
  return joined([tag('h3', {}, text('Not measured')), tag('ul', { class: 'plain' }, ...items)]);
}
