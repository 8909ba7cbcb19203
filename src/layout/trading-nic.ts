import type { Machine, Nic } from '../topology/machine.ts';
import { compareNaturally } from '../topology/natural-order.ts';
import { listNics, selectNics } from '../topology/nic-selection.ts';
import { groupCores, nodesByDistance, nodesInUse } from './cores.ts';
import { LayoutError } from './layout-error.ts';

/** The NIC that the layout is built around, and why. */
export interface TradingNic {
  readonly name: string | undefined;
  readonly why: string;
}

/**
 * `auto`: physical, not carrying the session, with a link, on a known NUMA node, fastest, with a PTP clock; in this
 * order. `none`. Otherwise the best of those that a selector finds: an interface name, `driver=mlx5_core`,
 * `pci=0000:3b:00.0`. Throws LayoutError when it finds none.
 */
export function chooseTradingNic(wanted: string, machine: Machine): TradingNic {
  if (wanted === 'none') return { name: undefined, why: 'the profile wants none (layout.nic: none)' };
  if (wanted === 'auto') return chooseBest(machine.nics);
  const matching = selectWithFamily(wanted, machine.nics);
  if (matching.length === 1 && matching[0])
    return { name: matching[0].name, why: `named by the profile (layout.nic: ${wanted})` };
  if (matching.length > 1) {
    const best = chooseBest(matching);
    return { name: best.name, why: `${wanted}, ${best.why}` };
  }
  throw new LayoutError('nic', `no NIC on ${machine.host} matches ${wanted}`, [
    `NICs here: ${listNics(machine.nics)}. Name one of them, or write "auto".`,
  ]);
}

/** A driver may be given by its family: `driver=mlx5` finds mlx5_core. */
function selectWithFamily(selector: string, nics: readonly Nic[]): readonly Nic[] {
  const exact = selectNics([selector], nics).nics;
  if (exact.length > 0 || !selector.startsWith('driver=')) return exact;
  const family = selector.slice('driver='.length);
  return nics.filter((nic) => nic.physical && nic.driver?.startsWith(`${family}_`) === true);
}

/** The NUMA nodes a NIC hangs on: one, or those of the NICs below a bond; empty when none is known. */
export function nicNodes(name: string, machine: Machine): number[] {
  const nic = machine.nics.find((known) => known.name === name);
  if (nic?.node !== undefined && nic.node >= 0) return [nic.node];
  const below = machine.nics.filter(
    (lower) => lower.uppers.includes(name) && lower.node !== undefined && lower.node >= 0,
  );
  return [...new Set(below.map((lower) => lower.node as number))].sort((left, right) => left - right);
}

/**
 * The online CPUs on the NIC's NUMA node; on the nearest node with CPUs when that one has none; all online CPUs when
 * the node is unknown, as the kernel's local_cpulist does.
 */
export function cpusNearNic(name: string, machine: Machine): number[] {
  const home = nicNodes(name, machine);
  const cores = groupCores(machine.topology);
  const nodes = nodesInUse(cores);
  if (home.length === 0) return cores.flatMap((core) => core.cpus).sort((left, right) => left - right);
  const local = nodes.filter((node) => node !== undefined && home.includes(node));
  const chosen = local.length > 0 ? local : nodesByDistance(machine, nodes, home).slice(0, 1);
  return cores
    .filter((core) => chosen.includes(core.node))
    .flatMap((core) => core.cpus)
    .sort((left, right) => left - right);
}

function chooseBest(nics: readonly Nic[]): TradingNic {
  const physical = nics.filter((nic) => nic.physical);
  const best = [...physical].sort(compareNics)[0];
  if (best === undefined) return { name: undefined, why: 'there is no physical NIC' };
  const merits = [
    best.carriesSession ? 'it also carries the session' : 'not carrying the session',
    best.carrier === true ? 'link up' : best.carrier === false ? 'no link' : 'link state unknown',
    hasNode(best) ? `on NUMA node ${best.node}` : 'NUMA node unknown',
    ...(best.speedMbps === undefined ? [] : [`${best.speedMbps / 1000} Gbit/s`]),
    ...(best.phc === undefined ? [] : [`PTP clock ${best.phc}`]),
    ...(best.taken === undefined ? [] : [`taken by ${best.taken.by}, as it was before`]),
  ];
  const rank = physical.length === 1 ? 'the only physical NIC' : `best of ${physical.length} physical NICs`;
  return { name: best.name, why: `${rank}: ${merits.join(', ')}` };
}

function compareNics(left: Nic, right: Nic): number {
  return (
    Number(left.carriesSession) - Number(right.carriesSession) ||
    linkRank(left) - linkRank(right) ||
    Number(hasNode(right)) - Number(hasNode(left)) ||
    (right.speedMbps ?? 0) - (left.speedMbps ?? 0) ||
    Number(hasClock(right)) - Number(hasClock(left)) ||
    compareNaturally(left.name, right.name)
  );
}

function linkRank(nic: Nic): number {
  if (nic.carrier === true) return 0;
  return nic.carrier === undefined ? 1 : 2;
}

/** Also one that went when DPDK took the NIC: the choice must not change by that. */
function hasClock(nic: Nic): boolean {
  return (nic.phc ?? nic.taken?.phc) !== undefined;
}

function hasNode(nic: Nic): boolean {
  return nic.node !== undefined && nic.node >= 0;
}
