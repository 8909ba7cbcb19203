import { printCpulist } from '../topology/cpulist.ts';
import { type Core, nodeDistance } from './cores.ts';
import { type CountedCores, servingNodes } from './counted.ts';
import type { LayoutReason } from './layout.ts';
import { nameCpus } from './names.ts';
import { cpusOf, type Site } from './site.ts';
import type { Demand, Split } from './split.ts';

type Role = 'housekeeping' | 'irq' | 'isolated';

/** The decision for one core. */
export interface PlacedCore {
  readonly core: Core;
  readonly role: Role;
  readonly why: string;
}

/** Says for each core which role it has and why. */
export function placeCores(demand: Demand, split: Split): PlacedCore[] {
  return demand.site.cores.map((core) => {
    if (split.isolated.includes(core)) return { core, role: 'isolated', why: explainIsolated(core, demand, split) };
    if (split.irq.includes(core)) return { core, role: 'irq', why: explainIrq(core, demand) };
    return { core, role: 'housekeeping', why: explainHousekeeping(core, demand, split) };
  });
}

/** Joins cores of one role and reason, in the order of their lowest CPU. */
export function groupReasons(
  entries: readonly { readonly cpus: readonly number[]; readonly role: LayoutReason['role']; readonly why: string }[],
): LayoutReason[] {
  const groups = new Map<string, LayoutReason>();
  for (const entry of entries) {
    if (entry.cpus.length === 0) continue;
    const key = `${entry.role}\n${entry.why}`;
    const cpus = [...(groups.get(key)?.cpus ?? []), ...entry.cpus].sort((left, right) => left - right);
    groups.set(key, { cpus, role: entry.role, why: entry.why });
  }
  return [...groups.values()].sort((left, right) => (left.cpus[0] as number) - (right.cpus[0] as number));
}

function explainIsolated(core: Core, demand: Demand, split: Split): string {
  const { site, counted } = demand;
  const place = counted ? explainPlace(core, site, counted) : 'asked for (layout.isolated)';
  return `${place}${explainCache(core, demand, split)}`;
}

function explainPlace(core: Core, site: Site, counted: CountedCores): string {
  if (core.node === undefined) return 'free for trading threads';
  const { home, wish } = counted;
  if (home.includes(core.node)) {
    if (wish.near !== 'nic') return `on NUMA node ${core.node}, as layout.isolated.near wants`;
    if (site.nicNodes.includes(core.node)) return `on NUMA node ${core.node}, where ${site.nic.name} is`;
    if (site.nicNodes.length > 0) return `on NUMA node ${core.node}, the nearest to ${site.nic.name} that has CPUs`;
    return `on NUMA node ${core.node}, the first one, as ${unknownNode(site)}`;
  }
  const distances = home.flatMap((node) => nodeDistance(site.machine, node, core.node) ?? []);
  const distance = distances.length === 0 ? '' : `, at distance ${Math.min(...distances)}`;
  const where = printCpulist(home);
  return `on NUMA node ${core.node}${distance}: the cores of node ${where} are taken first`;
}

function explainCache(core: Core, demand: Demand, split: Split): string {
  if (core.l3 === undefined) return '';
  const others = demand.site.cores.filter((other) => other.l3 === core.l3 && !split.isolated.includes(other));
  if (others.length === 0) return '; nobody else uses its L3 cache';
  const roles = others.some((other) => !split.irq.includes(other))
    ? others.some((other) => split.irq.includes(other))
      ? 'housekeeping and irq'
      : 'housekeeping'
    : 'irq';
  return `; its L3 cache is shared with ${roles} CPUs`;
}

function explainIrq(core: Core, demand: Demand): string {
  const { asked, site } = demand;
  const nic = site.nic.name;
  const local = core.node !== undefined && site.nicNodes.includes(core.node);
  if (asked.irq !== undefined) {
    const remote = nic !== undefined && site.nicNodes.length > 0 && !local;
    return `asked for (layout.irq)${remote ? `, though ${nic} is on NUMA node ${site.nicNodes.join(',')}` : ''}`;
  }
  if (local) return `serves the interrupts of ${nic} on its own NUMA node ${core.node}`;
  const reason = site.nicNodes.length > 0 ? `the nearest to ${nic} that has CPUs` : unknownNode(site);
  return `serves the interrupts of ${nic}${core.node === undefined ? '' : ` on NUMA node ${core.node}`} (${reason})`;
}

function explainHousekeeping(core: Core, demand: Demand, split: Split): string {
  const { asked, counted } = demand;
  const kept = split.kept.get(core);
  if (kept !== undefined) return kept;
  if (asked.housekeeping?.includes(core)) return 'asked for (layout.housekeeping), whole cores only';
  const refused = asked.refused.find((entry) => core.cpus.some((cpu) => entry.cpus.includes(cpu)));
  if (refused !== undefined) return `asked for as ${refused.role}, but refused: ${refused.reason}`;
  if (split.extra.includes(core))
    return `one of ${split.coresPerNode} housekeeping cores of NUMA node ${core.node ?? 'unknown'}`;
  return counted ? explainLeftOver(core, counted) : 'not asked for by layout.isolated';
}

function explainLeftOver(core: Core, { wish, eligible }: CountedCores): string {
  if (wish.cores === 0) return 'no isolated cores are wanted';
  if (core.efficiency && wish.coreType === 'performance')
    return 'efficiency core: too slow for a trading thread, good for the operating system';
  if (!eligible.has(core)) return `outside of layout.isolated.within (${wish.within})`;
  return `left over: layout.isolated wants ${wish.cores}${typeof wish.cores === 'number' ? ' cores' : ' of the cores'}`;
}

function unknownNode(site: Site): string {
  return site.nic.name === undefined ? 'there is no trading NIC' : `the NUMA node of ${site.nic.name} is unknown`;
}

/** What had to give way on a small machine. */
export function listShortfalls(demand: Demand, split: Split): { id: string; reason: string }[] {
  const { wanted, site, counted } = demand;
  const fits = `${site.machine.host} has ${site.cores.length} cores`;
  const shortfalls: { id: string; reason: string }[] = [];
  if (typeof wanted.housekeeping === 'object' && split.coresPerNode < wanted.housekeeping.coresPerNode) {
    shortfalls.push({
      id: 'layout.housekeeping.coresPerNode',
      reason: `${wanted.housekeeping.coresPerNode} cores per node do not fit, ${split.coresPerNode} it is: ${fits}`,
    });
  }
  if (typeof wanted.irq === 'object' && split.irq.length < wanted.irq.cores) {
    shortfalls.push({ id: 'layout.irq.cores', reason: explainFewIrqCores(demand, split, wanted.irq.cores) });
  }
  const share = counted?.wish.cores;
  if (counted && typeof share === 'string' && share !== 'most' && split.isolated.length < counted.target) {
    shortfalls.push({
      id: 'layout.isolated.cores',
      reason: `${share} would be ${counted.target} cores; ${split.isolated.length} are free of other roles`,
    });
  }
  return shortfalls;
}

function explainFewIrqCores(demand: Demand, split: Split, wanted: number): string {
  const { site } = demand;
  if (site.nic.name === undefined) return `no trading NIC (${site.nic.why}): housekeeping CPUs serve all interrupts`;
  const nodes = servingNodes(site).map((node) => node ?? 'unknown');
  const got = split.irq.length;
  const serve =
    got === 0 ? 'housekeeping CPUs serve the interrupts' : `${nameCpus(cpusOf(split.irq))} for the interrupts`;
  const misfit = `${wanted} ${wanted === 1 ? 'core does' : 'cores do'} not fit on NUMA node ${nodes.join(',')}`;
  return `${misfit} of ${site.machine.host} next to housekeeping and isolated cores: ${serve}`;
}
