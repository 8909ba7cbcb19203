import type { LatencyRow } from '../latency/report/row.ts';
import { QUANTILES, type QuantileName } from '../latency/targets/target.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { printLength, printLimit, printNs } from './duration.ts';
import { indented, paint, type Terminal } from './terminal.ts';

interface Reason {
  readonly place: string;
  readonly text: string;
}

/** Each limit that is missed, with what the percentile is at least. */
export function viewMissed(rows: readonly LatencyRow[], terminal: Terminal): string {
  return viewReasons(paint(terminal, 'red', 'Missed'), rows.flatMap(explainMissed), terminal);
}

/** Each limit that is open: why, and what run would decide it. */
export function viewUndecided(rows: readonly LatencyRow[], terminal: Terminal): string {
  return viewReasons(paint(terminal, 'yellow', 'Undecided'), rows.flatMap(explainOpen), terminal);
}

/** What is said of several places is said once. */
function viewReasons(title: string, reasons: readonly Reason[], terminal: Terminal): string {
  if (reasons.length === 0) return '';
  const byText = new Map<string, string[]>();
  for (const { place, text } of reasons) byText.set(text, [...(byText.get(text) ?? []), place]);
  const lines = [...byText].map(
    ([text, places]) => `${indented(places.join(', '), terminal, 2)}\n${indented(text, terminal, 6)}`,
  );
  return [title, ...lines].join('\n');
}

function explainMissed(row: LatencyRow): Reason[] {
  const missed = judgedAs(row, 'fail').map(({ name, limitNs }) => {
    const { lower } = row.interval[name];
    return `${name.toUpperCase()} is at least ${printNs(lower)}, allowed ${printLimit(limitNs)}`;
  });
  return missed.length === 0 ? [] : [{ place: placeOf(row), text: `${missed.join('; ')}.` }];
}

function explainOpen(row: LatencyRow): Reason[] {
  const open = judgedAs(row, 'inconclusive');
  if (open.length === 0) return [];
  const byWhy = new Map<string, string[]>();
  for (const { name, why } of open) byWhy.set(why, [...(byWhy.get(why) ?? []), name.toUpperCase()]);
  const reasons = [...byWhy].map(([why, names]) => `${names.join(' and ')}: ${why}`);
  const lengths = open.flatMap(({ decidesAfterS }) => decidesAfterS ?? []);
  const would =
    lengths.length < open.length ? '' : ` \`--duration ${printLength(Math.max(...lengths))}\` would decide.`;
  return [{ place: placeOf(row), text: `${reasons.join('; ')}.${would}` }];
}

function judgedAs({ judgements }: LatencyRow, verdict: string) {
  const named = QUANTILES.flatMap(({ name }: { name: QuantileName }) => {
    const judged = judgements[name];
    return judged === null ? [] : [{ name, ...judged }];
  });
  return named.filter((judged) => judged.verdict === verdict);
}

function placeOf({ name, part, synthetic, split, variant, cpus }: LatencyRow): string {
  const what = [name, synthetic || split ? part : '', variant].filter((word) => word !== '').join(' ');
  return `${what}, CPU ${cpus.length === 2 ? cpus.join('→') : printCpulist(cpus)}`;
}
