import type { CpuSet } from '../topology/cpulist.ts';
import type { Machine } from '../topology/machine.ts';
import { type Core, findBootCpu, groupCores, nodesInUse } from './cores.ts';
import { evaluateCpuSet } from './cpu-set.ts';
import { LayoutError } from './layout-error.ts';
import type { LayoutWanted } from './schema.ts';
import { chooseTradingNic, nicNodes, type TradingNic } from './trading-nic.ts';

/** What the solver decides from: the cores of the machine and the trading NIC among them. */
export interface Site {
  readonly machine: Machine;
  /** By their lowest CPU. */
  readonly cores: readonly Core[];
  readonly bootCpu: number;
  readonly nodes: readonly (number | undefined)[];
  readonly nic: TradingNic;
  /** NUMA nodes of the trading NIC; empty when unknown. */
  readonly nicNodes: readonly number[];
}

export function surveySite(wanted: LayoutWanted, machine: Machine): Site {
  const cores = groupCores(machine.topology);
  const bootCpu = findBootCpu(machine.topology);
  if (bootCpu === undefined) {
    throw new LayoutError('housekeeping', `${machine.host} shows no online CPU`, [
      'Capture the machine again: hft snapshot.',
    ]);
  }
  const nic = chooseTradingNic(wanted.nic, machine);
  return {
    machine,
    cores,
    bootCpu,
    nodes: nodesInUse(cores),
    nic,
    nicNodes: nic.name === undefined ? [] : nicNodes(nic.name, machine),
  };
}

/** Evaluates a CPU set of the layout itself, where roles have no CPUs yet. */
export function siteCpus(site: Site, expression: string | number): CpuSet {
  return evaluateCpuSet(String(expression), { machine: site.machine, nic: site.nic.name, roles: undefined });
}

export function cpusOf(cores: Iterable<Core>): number[] {
  return [...cores].flatMap((core) => core.cpus).sort((left, right) => left - right);
}
