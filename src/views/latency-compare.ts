import type {
  ComparedQuantile,
  ComparedRow,
  ComparedVerdict,
  CompareResult,
  StateSummary,
} from '../latency/saved/comparison.ts';
import { QUANTILES } from '../latency/targets/target.ts';
import { printLimit, printNs } from './duration.ts';
import { printRange, printSigned, viewFingerprint } from './latency-difference.ts';
import { indented, paint, type Style, type Terminal, wrap } from './terminal.ts';

const VERDICT_STYLES: Readonly<Record<ComparedVerdict, Style>> = {
  better: 'green',
  'not worse': 'green',
  worse: 'red',
  undecided: 'yellow',
  'n/a': 'dim',
};
const ANSWER_STYLES: Readonly<Record<CompareResult['answer'], Style>> = {
  worse: 'red',
  'not worse': 'green',
  undecided: 'yellow',
  'proves nothing': 'yellow',
};

/** What is compared, every quantile of every row, what could not be compared, what else is different, and the answer. */
export function viewComparison(result: CompareResult, terminal: Terminal): string {
  const blocks = [
    viewHead(result, terminal),
    viewRows(result.rows, terminal),
    viewNotCompared(result, terminal),
    viewFingerprint('What else is different', result.fingerprint, terminal),
    ...[result.before, result.after].map((state) =>
      viewFingerprint(`The runs of ${state.name} are not of one state`, state.changed, terminal),
    ),
    viewAnswer(result, terminal),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function viewHead({ before, after, order, pairs }: CompareResult, terminal: Terminal): string {
  const lines = [
    `A, before: ${sayState(before)}`,
    `B, after:  ${sayState(after)}`,
    order.length === 2
      ? ''
      : `In the order of time: ${order}, which is ${pairs} ${pairs === 1 ? 'pair' : 'pairs'} of neighbours.`,
  ];
  return lines
    .filter((line) => line !== '')
    .map((line) => wrap(line, terminal.columns, 11))
    .join('\n');
}

function sayState({ name, runs }: StateSummary): string {
  const times = runs.map(({ time }) => time.slice(0, 16).replace('T', ' '));
  const left = runs.filter(({ compared }) => !compared).length;
  const span = times.length === 1 ? times[0] : `${times.length} runs, ${times[0]} to ${times.at(-1)}`;
  return `${name}, ${span} UTC${left === 0 ? '' : `; ${left} left out, having no neighbour of the other state`}`;
}

const LABEL = 8;
const CELL = 9;
const DIFFERENCE = 11;
const RANGE = 24;
/** The least that holds the ratio too. */
const WIDE_COLUMNS = 100;

function viewRows(rows: readonly ComparedRow[], terminal: Terminal): string {
  if (rows.length === 0) return '';
  const heads = [
    'before'.padStart(CELL),
    'after'.padStart(CELL),
    'difference'.padStart(DIFFERENCE),
    ' 95 % interval'.padEnd(RANGE),
  ];
  const ratio = terminal.columns >= WIDE_COLUMNS ? ['ratio'.padStart(8)] : [];
  const head = paint(terminal, 'dim', `${' '.repeat(LABEL)}${[...heads, ...ratio, 'p'.padStart(6)].join('')}`);
  const groups = rows.map((row) => [paint(terminal, 'bold', row.row), ...viewQuantiles(row, terminal)].join('\n'));
  return [head, groups.join('\n\n')].join('\n');
}

function viewQuantiles({ quantiles, floorNs }: ComparedRow, terminal: Terminal): string[] {
  return QUANTILES.map(({ name }) => {
    const label = `  ${name.toUpperCase()}`.padEnd(LABEL);
    const line = `${label}${viewQuantile(quantiles[name], floorNs, terminal)}`;
    return quantiles[name].verdict === 'n/a' ? paint(terminal, 'dim', `${label}${'n/a'.padStart(CELL)}`) : line;
  });
}

function viewQuantile(quantile: ComparedQuantile, floorNs: number, terminal: Terminal): string {
  const { before, after, difference, probability, verdict } = quantile;
  const value = (ns: number | null) =>
    ns === 0 ? `<${printLimit(Math.ceil(floorNs))}` : ns === null ? 'n/a' : printNs(ns);
  const parts = [
    value(before).padStart(CELL),
    value(after).padStart(CELL),
    (difference === null ? '' : printSigned(difference.value)).padStart(DIFFERENCE),
    ` ${difference === null ? '' : printRange(difference)}`.padEnd(RANGE),
    terminal.columns >= WIDE_COLUMNS ? sayRatio(before, after).padStart(8) : '',
    (probability === null ? '' : probability.toFixed(3)).padStart(6),
  ];
  return `${parts.join('')}  ${paint(terminal, VERDICT_STYLES[verdict], verdict)}`;
}

function sayRatio(before: number | null, after: number | null): string {
  return before && after ? `×${(after / before).toPrecision(3)}` : '';
}

function viewNotCompared({ notCompared }: CompareResult, terminal: Terminal): string {
  if (notCompared.length === 0) return '';
  const lines = notCompared.map(({ row, reason }) => indented(`${row}: ${reason}`, terminal, 2));
  return [paint(terminal, 'bold', 'Not compared'), ...lines].join('\n');
}

function viewAnswer({ answer, why, pairs, tolerance, rows, before, after }: CompareResult, terminal: Terminal): string {
  const verdict: Readonly<Record<CompareResult['answer'], string>> = {
    worse: `${after.name} is worse than ${before.name}`,
    'not worse': `${after.name} is not worse than ${before.name}`,
    undecided: 'Undecided',
    'proves nothing': 'This proves nothing',
  };
  const notes = [
    rows.length > 0 && pairs === 1
      ? 'The intervals hold what varied within each run, and nothing of what changes from one run to the next.'
      : '',
    rows.length > 0 && pairs > 1 && answer === 'proves nothing'
      ? 'The intervals hold how the pairs differ, by Student; so few pairs hardly show it.'
      : '',
    answer === 'proves nothing'
      ? 'Measure each state several times in turn (`--save NAME --append`), then compare with `--abab`.'
      : `Up to ${Number((tolerance * 100).toPrecision(3))} % longer counts as not worse (--tolerance).`,
  ];
  const text = `${verdict[answer]}: ${why}.`;
  return [
    paint(terminal, ANSWER_STYLES[answer], wrap(text, terminal.columns)),
    ...notes.filter((note) => note !== '').map((note) => wrap(note, terminal.columns)),
  ].join('\n');
}

/** The saved measurements there are. */
export function viewSavedList(
  saved: readonly { readonly name: string; readonly runs: readonly string[] }[],
  terminal: Terminal,
): string {
  if (saved.length === 0)
    return wrap('No measurement is saved yet: `hft verify latency --save NAME`.', terminal.columns);
  const width = Math.max(...saved.map(({ name }) => name.length));
  const lines = saved.map(({ name, runs }) => {
    const last = runs.at(-1)?.slice(0, 16) ?? '';
    return `${paint(terminal, 'bold', name.padEnd(width))}  ${runs.length} ${runs.length === 1 ? 'run ' : 'runs'}  ${last}`;
  });
  return [...lines, '', wrap('Compare two: `hft verify latency compare A B`.', terminal.columns)].join('\n');
}
