import type { OtherFix } from '../cli/fix-choice.ts';
import type { FixResult } from '../cli/latency-fix.ts';
import type { FigureComparison } from '../latency/statistics/states.ts';
import { printNs } from './duration.ts';
import { indented, paint, type Style, type Terminal } from './terminal.ts';

const DECISIONS: Readonly<Record<FixResult['decision'], { readonly text: string; readonly style: Style }>> = {
  kept: { text: 'Kept', style: 'green' },
  'rolled-back': { text: 'Rolled back', style: 'yellow' },
  declined: { text: 'Not tried', style: 'dim' },
  'nothing-to-try': { text: 'Nothing tried', style: 'dim' },
  failed: { text: 'Failed', style: 'red' },
};

const LABEL = 34;
const CELL = 11;

/** What was tried, what the runs with and without it say, what was done, and what is left for `hft tune`. */
export function viewFix(fix: FixResult, terminal: Terminal): string {
  const { text, style } = DECISIONS[fix.decision];
  const tried = fix.offered.map(({ id, current, desired }) =>
    indented(`${id}  ${current ?? 'nothing'} → ${desired ?? 'nothing'}`, terminal, 4),
  );
  const blocks = [
    [`${paint(terminal, style, text)}: ${fix.why}`, ...tried].join('\n'),
    viewComparison(fix, terminal),
    sayNext(fix, terminal),
    viewOthers(fix.others, terminal),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function viewComparison({ comparison, rounds }: FixResult, terminal: Terminal): string {
  if (comparison === null) return '';
  const head = `${rounds.length === 1 ? '1 pair' : `${rounds.length} pairs`} of jitter runs`.padEnd(LABEL);
  const title = paint(terminal, 'dim', `${head}${['without', 'with'].map((name) => name.padStart(CELL)).join('')}`);
  return [title, ...comparison.figures.map((figure) => viewFigure(figure, terminal))].join('\n');
}

const FIGURES: Readonly<Record<string, { readonly name: string; readonly print: (value: number) => string }>> = {
  stolenShare: { name: 'of the time taken', print: (value) => `${(value * 100).toPrecision(3)} %` },
  gapsPerSecond: { name: 'gaps a second', print: (value) => value.toPrecision(3) },
  meanDelayNs: { name: 'mean delay of a random arrival', print: printNs },
};

function viewFigure({ name, before, after, answer, probability }: FigureComparison, terminal: Terminal): string {
  const figure = FIGURES[name];
  if (figure === undefined) return '';
  const values = [before, after].map((value) => figure.print(value).padStart(CELL)).join('');
  const style = answer === 'undecided' ? 'dim' : answer === 'lower' ? 'green' : 'red';
  return `  ${figure.name.padEnd(LABEL - 2)}${values}  ${paint(terminal, style, answer)} (p ${probability.toFixed(3)})`;
}

function sayNext({ decision, lasting, profile, offered }: FixResult, terminal: Terminal): string {
  if (decision !== 'kept') return '';
  const undo = `\`hft rollback ${offered.map(({ id }) => `--item ${id}`).join(' ')}\` takes it back.`;
  const until = lasting
    ? `Profile ${profile} is in force and puts it back at boot.`
    : `It holds until the next reboot: \`hft tune --profile ${profile}\` makes it last.`;
  return indented(`${until} ${undo}`, terminal, 0);
}

function viewOthers(others: readonly OtherFix[], terminal: Terminal): string {
  if (others.length === 0) return '';
  const byReason = new Map<string, string[]>();
  for (const { id, reason } of others) byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  const lines = [...byReason].map(
    ([reason, ids]) => `${indented(ids.join(', '), terminal, 2)}\n${indented(reason, terminal, 6)}`,
  );
  return [paint(terminal, 'bold', 'Named and not tried'), ...lines].join('\n');
}
