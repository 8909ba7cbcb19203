import type { LatencyResult } from '../latency/report/result.ts';
import type { LatencyRow } from '../latency/report/row.ts';
import type { BaselineSummary, RowBaseline } from '../latency/saved/baseline.ts';
import type { QuantileName } from '../latency/targets/target.ts';
import { holdsZero, printRange, printSigned, viewFingerprint } from './latency-difference.ts';
import { indented, paint, type Terminal, wrap } from './terminal.ts';

interface SavedView {
  readonly name: string;
  readonly folder: string;
  readonly run: string | null;
  readonly runs: number | null;
  readonly error: { readonly message: string; readonly next: readonly string[] } | null;
}

type ShownResult = LatencyResult & { readonly baseline?: BaselineSummary; readonly saved?: SavedView };

/** What stands below the measurement: what it was compared with, and where it was kept. '' without --baseline and --save. */
export function viewKept({ baseline, saved }: ShownResult, terminal: Terminal): string {
  const blocks = [
    baseline === undefined ? '' : viewBaseline(baseline, terminal),
    saved === undefined ? '' : viewSaved(saved, terminal),
  ];
  return blocks
    .filter((block) => block !== '')
    .map((block) => `\n\n${block}`)
    .join('');
}

function viewBaseline({ name, time, runs, caveat, fingerprint, notCompared }: BaselineSummary, terminal: Terminal) {
  const newest = runs === 1 ? '' : `, the newest of ${runs} runs`;
  const text = `then is ${name}, measured at ${time.slice(0, 16).replace('T', ' ')} UTC${newest}. ~: 0 lies in the interval of the difference. ${caveat}`;
  const missing = notCompared.map(({ row, reason }) => indented(`${row}: ${reason}`, terminal, 2));
  return [
    `${paint(terminal, 'bold', 'Compared with a saved measurement')}\n${indented(text, terminal, 2)}`,
    ...(missing.length === 0 ? [] : [[paint(terminal, 'bold', 'Not compared'), ...missing].join('\n')]),
    viewFingerprint('What else is different', fingerprint, terminal),
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}

function viewSaved({ name, folder, runs, error }: SavedView, terminal: Terminal): string {
  if (error !== null) return paint(terminal, 'red', wrap(error.message, terminal.columns));
  const which = runs === 1 ? '' : `, run ${runs} of this state`;
  return wrap(`Saved as ${name}${which}: ${folder}`, terminal.columns);
}

interface Cells {
  readonly terminal: Terminal;
  readonly labelWidth: number;
  readonly names: readonly QuantileName[];
  /** One cell of the table, with its interval where there is room. */
  readonly cell: (value: string, bounds: string) => string;
  readonly printValue: (ns: number | null) => string;
}

/** Below a row: what the saved measurement had, and the difference from it. */
export function viewThen(
  row: LatencyRow & { readonly baseline?: RowBaseline | null },
  { terminal, labelWidth, names, cell, printValue }: Cells,
): string[] {
  const { baseline } = row;
  if (baseline === undefined || baseline === null) return [];
  const label = (text: string) => `    ${text.padEnd(labelWidth - 4)}`;
  const then = names.map((name) => cell(printValue(baseline.percentiles[name]), ''));
  const changes = names.map((name) => {
    const difference = baseline.difference[name];
    if (difference === null) return cell('', '');
    const text = `${holdsZero(difference) ? '~' : ''}${printSigned(difference.value)}`;
    return cell(text, printRange(difference));
  });
  return [
    paint(terminal, 'dim', `${label('then')}${then.join('')}`.trimEnd()),
    `${label('difference')}${changes.join('')}`.trimEnd(),
  ];
}
