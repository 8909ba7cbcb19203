import type { AllVerified, Left } from '../cli/verify-all.ts';
import { viewLatency } from './latency.ts';
import { viewPtp } from './ptp.ts';
import { indented, paint, type Terminal } from './terminal.ts';
import { viewVerification } from './verify.ts';
import { viewDpdk } from './verify-dpdk.ts';

/** Each part under its name, as its own command shows it; then what was not verified and why. */
export function viewAllVerified(verified: AllVerified, terminal: Terminal): string {
  const { settings, processes, ptp, dpdk, latency, left } = verified;
  const parts: readonly (readonly [string, string | null])[] = [
    ['Settings', settings && viewVerification(settings, terminal)],
    ['Processes', processes && viewVerification(processes, terminal)],
    ['PTP', ptp && viewPtp(ptp, terminal)],
    ['DPDK', dpdk && viewDpdk(dpdk, terminal)],
    ['Latency', latency && viewLatency(latency, terminal)],
  ];
  const shown = parts.flatMap(([title, text]) =>
    text === null ? [] : [`${paint(terminal, 'bold', title)}\n\n${text.trimEnd()}`],
  );
  const missing = left.map((each) => viewLeft(each, terminal));
  const end = missing.length === 0 ? [] : [`${paint(terminal, 'bold', 'Not verified')}\n\n${missing.join('\n')}`];
  if (shown.length === 0) shown.push(paint(terminal, 'red', 'Nothing was verified.'));
  return [...shown, ...end].join('\n\n\n');
}

function viewLeft({ part, because, why }: Left, terminal: Terminal): string {
  const label = paint(terminal, because === 'failed' ? 'red' : 'dim', part.padEnd(11));
  return `${label}${indented(why, terminal, 11).trimStart()}`;
}
