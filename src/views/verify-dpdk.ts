import type { Verification } from '../engine/verify.ts';
import { paint, type Terminal, wrap } from './terminal.ts';
import { viewVerification } from './verify.ts';

/** As any verification; and what a run with traffic came to also where it is right. */
export function viewDpdk(verification: Verification, terminal: Terminal): string {
  const passed = verification.results.filter(({ id, status }) => status === 'pass' && id.startsWith('dpdk.traffic@'));
  const runs = passed.map(({ id, actual, evidence }) => {
    const text = wrap(evidence, terminal.columns - 16).split('\n');
    const lines = text.map((line) => paint(terminal, 'dim', `                ${line}`));
    return [`${paint(terminal, 'green', 'pass'.padEnd(14))}  ${id}: ${actual}`, ...lines].join('\n');
  });
  return [...runs, viewVerification(verification, terminal)].join('\n\n');
}
