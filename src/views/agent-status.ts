import type { Hello } from '../agent/protocol/results.ts';
import { paint, type Terminal } from './terminal.ts';

/** What the agent said of itself. */
export function viewHello({ host, version, role, name, uptimeS, counters, audit }: Hello, terminal: Terminal): string {
  const { answered, refused, malformed, unknownKeys, limited } = counters;
  return [
    `${paint(terminal, 'bold', host)}  hft ${version}, running for ${Math.round(uptimeS)} s`,
    `  you are   ${name}, ${role}`,
    `  requests  ${answered} answered, ${refused} refused, ${limited} too many`,
    `  dropped   ${malformed} malformed messages, ${unknownKeys} unknown keys`,
    ...(audit === undefined ? [] : [`  audit     ${audit.seq}:${audit.hash}`]),
  ].join('\n');
}
