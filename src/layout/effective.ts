import type { Machine } from '../topology/machine.ts';
import { findBootCpu } from './cores.ts';
import type { Layout } from './layout.ts';
import { chooseTradingNic } from './trading-nic.ts';

/**
 * The roles as the running kernel has them, for a host of which no profile is known: what it isolates is isolated, the rest is
 * housekeeping.
 */
export function effectiveLayout(machine: Machine): Layout {
  const boot = findBootCpu(machine.topology);
  const online = machine.topology.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.cpu);
  const isolated = online.filter((cpu) => machine.kernel.isolated.includes(cpu) && cpu !== boot);
  const housekeeping = online.filter((cpu) => !isolated.includes(cpu));
  const offline = machine.topology.cpus.filter((cpu) => !cpu.online).map((cpu) => cpu.cpu);
  const nic = chooseTradingNic('auto', machine);
  const reasons = [
    { cpus: housekeeping, role: 'housekeeping' as const, why: 'not isolated by the running kernel' },
    { cpus: isolated, role: 'isolated' as const, why: 'isolated by the running kernel' },
    { cpus: offline, role: 'offline' as const, why: 'offline' },
  ];
  return {
    housekeeping,
    irq: [],
    isolated,
    nic: nic.name,
    nicWhy: nic.why,
    reasons: reasons.filter(({ cpus }) => cpus.length > 0),
    refused: [],
  };
}
