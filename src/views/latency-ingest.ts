import type { IngestedRow, IngestResult } from '../latency/ingest/ingested.ts';
import { QUANTILES, type QuantileName } from '../latency/targets/target.ts';
import { printLength, printLimit, printNs } from './duration.ts';
import { indented, paint, type Style, type Terminal, wrap } from './terminal.ts';

const NAMES = QUANTILES.map(({ name }) => name);
const LABEL = 20;
const CELL = 9;
/** With its interval, as in the table of measurements. */
const WIDE_CELL = 29;
const WIDE_COLUMNS = LABEL + 4 * WIDE_CELL + CELL + 14;
const VERDICT_STYLES: Readonly<Record<string, Style>> = { pass: 'green', fail: 'red', inconclusive: 'yellow' };

export function viewIngested(result: IngestResult, terminal: Terminal): string {
  const width = terminal.columns >= WIDE_COLUMNS ? WIDE_CELL : CELL;
  const heads = NAMES.map((name) => cell(name.toUpperCase(), '', width));
  const head = paint(terminal, 'dim', `${' '.repeat(LABEL)}${heads.join('')}${'max'.padStart(CELL)}`);
  const rows = result.rows.map((row) => viewRow(row, terminal, width));
  const open = result.rows.flatMap((row) => explainOpen(row, terminal));
  const blocks = [
    viewHead(result, terminal),
    [head, rows.join('\n\n')].join('\n'),
    open.length === 0 ? '' : [paint(terminal, 'yellow', 'Undecided'), ...open].join('\n'),
    paint(terminal, 'dim', result.caveats.map((caveat) => wrap(caveat, terminal.columns)).join('\n')),
    viewSummary(result, terminal),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function viewHead({ file, unit, profile }: IngestResult, terminal: Terminal): string {
  const judged =
    profile === null ? 'No profile was named and none is in force, so nothing is judged.' : `Judged by ${profile}.`;
  return wrap(`${file}, its values taken to be ${unit} (--unit). ${judged}`, terminal.columns);
}

function viewRow(row: IngestedRow, terminal: Terminal, width: number): string {
  const { tag, target, samples, intervals, durationS, floorNs } = row;
  const parts = [
    `${samples} samples`,
    `${intervals} ${intervals === 1 ? 'interval' : 'intervals'}`,
    `${durationS.toFixed(1)} s`,
  ];
  const conditions = `${parts.join(', ')}${target === null ? '' : `, as ${target.name}`}`;
  const value = (ns: number | null) => printValue(ns, floorNs);
  const verdict = row.verdict ?? 'not judged';
  const cells = NAMES.map((name) => {
    const style = VERDICT_STYLES[row.judgements[name]?.verdict ?? ''];
    const text = cell(value(row.percentiles[name]), sayBounds(row, name), width);
    return style === undefined ? text : paint(terminal, style, text);
  });
  const max = value(row.percentiles.max).padStart(CELL);
  const line = `${'  quantile'.padEnd(LABEL)}${cells.join('')}${max}  ${paint(terminal, VERDICT_STYLES[verdict] ?? 'dim', verdict)}`;
  return [
    `${paint(terminal, 'bold', tag ?? '(no tag)')}  ${paint(terminal, 'dim', conditions)}`,
    line,
    ...viewSamples(row, terminal, width),
    ...viewLimits(row, terminal, width),
  ].join('\n');
}

function sayBounds({ interval, floorNs }: IngestedRow, name: QuantileName): string {
  const { lower, upper } = interval[name];
  if (upper === null) return lower === 0 ? '' : `[${printNs(lower)} to ?]`;
  return `[${printValue(lower, floorNs)} to ${printValue(upper, floorNs)}]`;
}

/** Where no quantile can be told of what the samples are drawn from, that of the samples themselves. */
function viewSamples(
  { percentiles, ofTheseSamples, floorNs }: IngestedRow,
  terminal: Terminal,
  width: number,
): string[] {
  const shown = NAMES.map((name) => (percentiles[name] === null ? ofTheseSamples[name] : null));
  if (shown.every((value) => value === null)) return [];
  const cells = shown.map((value) => cell(value === null ? '' : printValue(value, floorNs), '', width));
  return [paint(terminal, 'dim', `${'    of the samples'.padEnd(LABEL)}${cells.join('')}`.trimEnd())];
}

function viewLimits({ target }: IngestedRow, terminal: Terminal, width: number): string[] {
  if (target === null) return [];
  const cells = NAMES.map((name) => {
    const limit = target[name];
    return cell(limit === undefined ? '' : printLimit(limit), '', width);
  });
  return [paint(terminal, 'dim', `${'    at most'.padEnd(LABEL)}${cells.join('')}`.trimEnd())];
}

function explainOpen({ tag, judgements }: IngestedRow, terminal: Terminal): string[] {
  const byWhy = new Map<string, string[]>();
  for (const name of NAMES) {
    const judged = judgements[name];
    if (judged?.verdict !== 'inconclusive') continue;
    const would = judged.decidesAfterS === null ? '' : `; a log of ${printLength(judged.decidesAfterS)} would decide`;
    const why = `${judged.why}${would}.`;
    byWhy.set(why, [...(byWhy.get(why) ?? []), name.toUpperCase()]);
  }
  return [...byWhy].map(([why, names]) => indented(`${tag ?? '(no tag)'}, ${names.join(', ')}: ${why}`, terminal, 2));
}

function viewSummary({ file, profile, summary, rows }: IngestResult, terminal: Terminal): string {
  if (profile === null) return `${rows.length} read, none judged`;
  const count = (number: number, what: string, style?: Style) => {
    if (number === 0) return [];
    const text = `${number} ${what}`;
    return [style === undefined ? text : paint(terminal, style, text)];
  };
  const parts = [
    ...count(summary.fail, 'fail', 'red'),
    ...count(summary.inconclusive, 'inconclusive', 'yellow'),
    ...count(summary.pass, 'pass', 'green'),
    ...count(summary.notJudged, 'not judged'),
  ];
  return wrap(`${file} against ${profile}: ${parts.join(', ')}`, terminal.columns);
}

function cell(value: string, bounds: string, width: number): string {
  const right = width === CELL ? '' : ` ${bounds.padEnd(width - CELL - 1)}`;
  return `${value.padStart(CELL)}${right}`;
}

function printValue(ns: number | null, floorNs: number): string {
  if (ns === null) return 'n/a';
  return ns === 0 ? `<${printLimit(Math.ceil(floorNs))}` : printNs(ns);
}
