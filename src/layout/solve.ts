import { printCpulist } from '../topology/cpulist.ts';
import type { Machine } from '../topology/machine.ts';
import { readAskedCores } from './asked.ts';
import { countIsolated } from './counted.ts';
import { chooseKeepers, refuseKeepers } from './keepers.ts';
import type { Layout } from './layout.ts';
import { nameCpus } from './names.ts';
import { groupReasons, listShortfalls, type PlacedCore, placeCores } from './reasons.ts';
import type { LayoutWanted } from './schema.ts';
import { surveySite } from './site.ts';
import { type Demand, splitCores } from './split.ts';

/**
 * Gives each online CPU one role. Whole cores only; the boot CPU's core and one core per NUMA node in use stay
 * housekeeping; interrupt cores sit on the trading NIC's node; isolated cores are taken on that node first, then by
 * distance, in whole L3 caches where there is a choice. Depends on nothing but its arguments, and not on their order.
 *
 * What cannot work and leaves the rest sensible is in `refused`. Throws LayoutError or CpuExpressionError (exit 2) for
 * CPUs, nodes and NICs that are not there, a CPU in two roles, and a wish for isolated cores that none can meet.
 */
export function solveLayout(wanted: LayoutWanted, machine: Machine): Layout {
  const site = surveySite(wanted, machine);
  const read = readAskedCores(wanted, site);
  const keepers = chooseKeepers(site, read);
  const asked = { ...read, refused: [...read.refused, ...refuseKeepers(site, read, keepers)] };
  const demand: Demand = { wanted, site, asked, keepers, counted: countIsolated(wanted.isolated, site) };
  const split = splitCores(demand);
  const placed = placeCores(demand, split);
  const parked =
    wanted.smt === 'siblings-offline' ? placed.flatMap((entry) => parkSiblings(entry, asked.keptThread)) : [];
  return {
    housekeeping: cpusWithRole(placed, 'housekeeping', parked),
    irq: cpusWithRole(placed, 'irq', parked),
    isolated: cpusWithRole(placed, 'isolated', parked),
    offline: parked,
    nic: site.nic.name,
    nicWhy: site.nic.why,
    reasons: groupReasons([
      ...placed.map(({ core, role, why }) => ({ cpus: core.cpus.filter((cpu) => !parked.includes(cpu)), role, why })),
      { cpus: parked, role: 'offline', why: 'hardware thread of an isolated core, to be taken offline (layout.smt)' },
      { cpus: offlineCpus(machine), role: 'offline', why: 'offline' },
    ]),
    refused: [
      ...asked.refused.map(({ role, cpus, reason }) => ({
        id: `layout.${role}@${printCpulist(cpus)}`,
        reason: `${nameCpus(cpus)}: ${reason}`,
      })),
      ...listShortfalls(demand, split),
    ],
  };
}

/** The hardware threads of an isolated core that go offline: all but one. */
function parkSiblings(placed: PlacedCore, keptThread: ReadonlyMap<PlacedCore['core'], number>): number[] {
  if (placed.role !== 'isolated') return [];
  const kept = keptThread.get(placed.core) ?? placed.core.cpus[0];
  return placed.core.cpus.filter((cpu) => cpu !== kept);
}

function cpusWithRole(placed: readonly PlacedCore[], role: PlacedCore['role'], parked: readonly number[]): number[] {
  const cpus = placed.filter((entry) => entry.role === role).flatMap((entry) => entry.core.cpus);
  return cpus.filter((cpu) => !parked.includes(cpu)).sort((left, right) => left - right);
}

function offlineCpus(machine: Machine): number[] {
  return machine.topology.cpus
    .filter((cpu) => !cpu.online)
    .map((cpu) => cpu.cpu)
    .sort((left, right) => left - right);
}
