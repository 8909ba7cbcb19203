import type { Planned } from '../agent/agent.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { paint, type Style, type Terminal, wrap } from './terminal.ts';

const STYLES: Readonly<Record<string, Style>> = {
  housekeeping: 'blue',
  irq: 'yellow',
  isolated: 'green',
  offline: 'dim',
};

/** The stable JSON of `hft profile explain`: additive changes only. */
export function explainJson({ plan, machine }: Planned) {
  const { housekeeping, irq, isolated, offline, nic, nicWhy, reasons } = machine.layout;
  const sets = { housekeeping, irq, isolated, offline: offline ?? [] };
  return {
    profile: plan.profile,
    host: plan.host,
    layout: Object.fromEntries(Object.entries(sets).map(([role, cpus]) => [role, printCpulist(cpus)])),
    nic: nic ?? null,
    nicWhy: nicWhy ?? null,
    reasons: reasons.map(({ cpus, role, why }) => ({ cpus: printCpulist(cpus), role, why })),
    refused: plan.refused.map(({ id, domain, kind, reason }) => ({ id, domain, kind, reason })),
  };
}

export function viewExplanation(planned: Planned, terminal: Terminal): string {
  const { plan, machine } = planned;
  const { nic, nicWhy } = machine.layout;
  const title = `Profile ${paint(terminal, 'bold', plan.profile)} on ${paint(terminal, 'bold', plan.host)}`;
  const nicLine = `Trading NIC: ${nic ?? 'none'}${nicWhy === undefined ? '' : ` (${nicWhy})`}`;
  const blocks = [`${title}\n${wrap(nicLine, terminal.columns)}`, viewReasons(planned, terminal)];
  if (plan.refused.length > 0) blocks.push(viewRefused(planned, terminal));
  return blocks.join('\n\n');
}

function viewReasons({ machine }: Planned, terminal: Terminal): string {
  const rows = machine.layout.reasons.map(({ cpus, role, why }) => ({ cpus: printCpulist(cpus), role, why }));
  const width = Math.min(Math.max(...rows.map((row) => row.cpus.length)), 24);
  const indent = 2 + 12 + 2 + width + 2;
  return rows
    .map(({ cpus, role, why }) => {
      const list = cpus.length <= width ? cpus.padEnd(width) : `${cpus}\n${' '.repeat(indent - 2)}`;
      const reason = wrap(why, terminal.columns - indent).replaceAll('\n', `\n${' '.repeat(indent)}`);
      return `  ${paint(terminal, STYLES[role] ?? 'bold', role.padEnd(12))}  ${list}  ${reason}`;
    })
    .join('\n');
}

function viewRefused({ plan }: Planned, terminal: Terminal): string {
  const lines = plan.refused.map(({ id, reason }) => {
    const text = wrap(reason, terminal.columns - 4).replaceAll('\n', '\n    ');
    return `  ${paint(terminal, 'magenta', id)}\n    ${text}`;
  });
  return [paint(terminal, 'bold', 'Asked for and not done here'), ...lines].join('\n');
}
