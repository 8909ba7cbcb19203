import type { Planned } from '../agent/agent.ts';
import type { LatencyWanted } from '../latency/targets/schema.ts';
import { listTargets, QUANTILES } from '../latency/targets/target.ts';
import { explainLayout } from '../layout/explain.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { printLimit } from './duration.ts';
import { paint, type Terminal, wrap } from './terminal.ts';
import { renderLayout } from './topology-text.ts';

/** What a profile asks for beside settings, and what hft can measure of it. */
export interface LatencyExplained {
  readonly wanted: LatencyWanted | undefined;
  /** The names of hft's probes. */
  readonly probes: readonly string[];
}

/** The stable JSON of `hft profile explain`: additive changes only. */
export function explainJson({ plan, machine }: Planned, { wanted, probes }: LatencyExplained) {
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
    latency: listTargets(wanted).map((target) => ({ ...target, hasProbe: probes.includes(target.probe) })),
  };
}

/**
 * Which CPU has which role and why; what latency is judged by; then what is not done here: what would be wrong first, then what is
 * not there.
 */
export function viewExplanation({ plan, machine }: Planned, latency: LatencyExplained, terminal: Terminal): string {
  const explanation = explainLayout({ ...machine.layout, refused: [] }, machine);
  const blocks = [`Profile ${paint(terminal, 'bold', plan.profile)} on ${renderLayout(explanation).trimEnd()}`];
  const limits = viewLimits(latency, terminal);
  if (limits !== '') blocks.push(limits);
  const wrong = plan.refused.filter((refusal) => refusal.kind === 'refused' || refusal.kind === 'conflict');
  const missing = plan.refused.filter((refusal) => refusal.kind === 'unsupported');
  const unknown = plan.refused.filter((refusal) => refusal.kind === 'unknown');
  if (wrong.length > 0) blocks.push(viewRefused('Asked for, and not done', wrong, terminal));
  if (missing.length > 0) blocks.push(viewRefused('Asked for, and not there on this host', missing, terminal));
  if (unknown.length > 0) blocks.push(viewRefused('Asked for, and not known', unknown, terminal));
  return blocks.join('\n\n');
}

function viewLimits({ wanted, probes }: LatencyExplained, terminal: Terminal): string {
  const targets = listTargets(wanted);
  if (targets.length === 0) return '';
  const lines = targets.map((target) => {
    const cells = QUANTILES.map(({ name }) => {
      const limit = target[name];
      return (limit === undefined ? '' : `${name.toUpperCase()} ${printLimit(limit)}`).padEnd(13);
    });
    const mark = probes.includes(target.probe) ? ' ' : '*';
    return `  ${target.name.padEnd(17)}${mark} ${cells.join('')}`.trimEnd();
  });
  const isMissing = targets.some(({ probe }) => !probes.includes(probe));
  const note = isMissing ? ['  * This hft has no probe for it: `hft verify latency` says so and does not pass.'] : [];
  return [paint(terminal, 'bold', 'Latency, at most'), ...lines, ...note].join('\n');
}

function viewRefused(title: string, refused: Planned['plan']['refused'], terminal: Terminal): string {
  const lines = [...groupByReason(refused)].map(([reason, ids]) => {
    const names = wrap(ids.join(', '), terminal.columns - 2).replaceAll('\n', '\n  ');
    const text = wrap(reason, terminal.columns - 6).replaceAll('\n', '\n      ');
    return `  ${paint(terminal, 'magenta', names)}\n      ${text}`;
  });
  return [paint(terminal, 'bold', title), ...lines].join('\n');
}

/** What is said of many settings is said once. */
function groupByReason(refused: Planned['plan']['refused']): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { id, reason } of refused) groups.set(reason, [...(groups.get(reason) ?? []), id]);
  return groups;
}
