import type { Cpu, Hugepages, Machine } from '../topology/machine.ts';
import { compareNaturally } from '../topology/natural-order.ts';
import { type Core, groupCores } from './cores.ts';
import type { Layout, LayoutReason } from './layout.ts';
import { nicNodes } from './trading-nic.ts';

/** online: no layout was solved, so the CPU has no role. */
export type ExplainedRole = LayoutReason['role'] | 'online';

export interface ExplainedCpu {
  readonly cpu: number;
  readonly role: ExplainedRole;
  /** The thread of a deployment that has it alone: `md-rx`. */
  readonly occupant?: string;
}

export interface ExplainedCore {
  /** Hardware threads, ascending; with siblings offline they differ in role. */
  readonly threads: readonly ExplainedCpu[];
  readonly role: ExplainedRole;
  readonly why: string;
  readonly efficiency: boolean;
}

export interface ExplainedCache {
  /** undefined: the kernel names no L3 cache for these cores. */
  readonly l3: number | undefined;
  readonly bytes: number | undefined;
  readonly cores: readonly ExplainedCore[];
}

export interface ExplainedNode {
  readonly node: number | undefined;
  readonly memoryBytes: number;
  readonly hugepages: readonly Hugepages[];
  /** Names of the physical NICs on this node; the trading NIC first. */
  readonly nics: readonly string[];
  readonly caches: readonly ExplainedCache[];
  /** This node's CPUs lie in several packages, and it was listed in an earlier one. */
  readonly continued: boolean;
}

export interface ExplainedPackage {
  readonly package: number | undefined;
  readonly nodes: readonly ExplainedNode[];
}

export interface RoleSummary {
  readonly role: ExplainedRole;
  readonly cpus: readonly number[];
  /** Cores that have at least one CPU in this role. */
  readonly cores: number;
}

/** A machine as a tree of packages, nodes, L3 caches and cores, each core with its role and why. JSON-safe. */
export interface LayoutExplanation {
  readonly host: string;
  readonly nic: string | undefined;
  readonly nicWhy: string | undefined;
  readonly roles: readonly RoleSummary[];
  readonly packages: readonly ExplainedPackage[];
  /** Nodes with memory and no online CPUs. */
  readonly memoryNodes: readonly ExplainedNode[];
  /** NICs of no known node. */
  readonly looseNics: readonly string[];
  /** Offline CPUs; the kernel does not say where they are. */
  readonly offline: readonly number[];
  readonly refused: Layout['refused'];
}

/**
 * What `hft profile explain` shows and `drawTopology` draws. Without a layout, CPUs are `online`, or `isolated` where
 * the running kernel isolates them. `occupants`: which thread of a deployment has a CPU alone.
 */
export function explainLayout(
  layout: Layout | undefined,
  machine: Machine,
  occupants: ReadonlyMap<number, string> = new Map(),
): LayoutExplanation {
  const cores = groupCores(machine.topology);
  const reasons = indexReasons(layout, machine);
  const explained = new Map(cores.map((core) => [core, explainCore(core, reasons, occupants)]));
  const seen = new Set<number | undefined>();
  const packages = splitBy(cores, (core) => core.package).map(([number, inPackage]) => ({
    package: number,
    nodes: splitBy(inPackage, (core) => core.node).map(([node, inNode]) => {
      const continued = seen.has(node);
      seen.add(node);
      return {
        ...describeNode(node, machine, layout?.nic),
        caches: explainCaches(inNode, explained, machine),
        continued,
      };
    }),
  }));
  return {
    host: machine.host,
    nic: layout?.nic,
    nicWhy: layout?.nicWhy,
    roles: summarizeRoles([...explained.values()], machine),
    packages,
    memoryNodes: machine.topology.nodes
      .filter((node) => !seen.has(node.node))
      .map((node) => ({ ...describeNode(node.node, machine, layout?.nic), caches: [], continued: false })),
    looseNics: nicsOn(undefined, machine, layout?.nic),
    offline: offlineCpus(machine.topology.cpus),
    refused: layout?.refused ?? [],
  };
}

function indexReasons(layout: Layout | undefined, machine: Machine): Map<number, { role: ExplainedRole; why: string }> {
  if (layout !== undefined) {
    return new Map(layout.reasons.flatMap(({ cpus, role, why }) => cpus.map((cpu) => [cpu, { role, why }])));
  }
  return new Map(
    machine.kernel.isolated.map((cpu) => [cpu, { role: 'isolated', why: 'isolated by the running kernel' }]),
  );
}

function explainCore(
  core: Core,
  reasons: ReadonlyMap<number, { role: ExplainedRole; why: string }>,
  occupants: ReadonlyMap<number, string>,
): ExplainedCore {
  const threads = core.cpus.map((cpu): ExplainedCpu => {
    const occupant = occupants.get(cpu);
    const role = reasons.get(cpu)?.role ?? 'online';
    return { cpu, role, ...(occupant === undefined ? {} : { occupant }) };
  });
  const speaker = threads.find((thread) => thread.role !== 'offline') ?? threads[0];
  const cpu = speaker?.cpu ?? -1;
  return { threads, role: speaker?.role ?? 'online', why: reasons.get(cpu)?.why ?? '', efficiency: core.efficiency };
}

function explainCaches(
  cores: readonly Core[],
  explained: ReadonlyMap<Core, ExplainedCore>,
  machine: Machine,
): ExplainedCache[] {
  return splitBy(cores, (core) => core.l3).map(([l3, sharing]) => ({
    l3,
    bytes: l3 === undefined ? undefined : cacheBytes(sharing, machine),
    cores: sharing.map((core) => explained.get(core) as ExplainedCore),
  }));
}

function cacheBytes(cores: readonly Core[], machine: Machine): number | undefined {
  const cpu = cores[0]?.cpus[0];
  return machine.topology.caches.find((cache) => cache.level === 3 && cpu !== undefined && cache.cpus.includes(cpu))
    ?.bytes;
}

function describeNode(
  node: number | undefined,
  machine: Machine,
  trading: string | undefined,
): Omit<ExplainedNode, 'caches' | 'continued'> {
  const known = machine.topology.nodes.find((candidate) => candidate.node === node);
  return {
    node,
    memoryBytes: known?.memoryBytes ?? 0,
    hugepages: known?.hugepages ?? [],
    nics: node === undefined ? [] : nicsOn(node, machine, trading),
  };
}

/** Physical NICs of a node, the trading NIC first; of no node the machine has for undefined. */
function nicsOn(node: number | undefined, machine: Machine, trading: string | undefined): string[] {
  const nodes = machine.topology.nodes.map((known) => known.node);
  return machine.nics
    .filter((nic) => nic.physical || nic.name === trading)
    .filter((nic) => {
      const [home] = nicNodes(nic.name, machine);
      return home !== undefined && nodes.includes(home) ? home === node : node === undefined;
    })
    .map((nic) => nic.name)
    .sort((left, right) => Number(right === trading) - Number(left === trading) || compareNaturally(left, right));
}

function summarizeRoles(cores: readonly ExplainedCore[], machine: Machine): RoleSummary[] {
  const order: ExplainedRole[] = ['housekeeping', 'irq', 'isolated', 'online', 'offline'];
  const gone = offlineCpus(machine.topology.cpus);
  return order.flatMap((role) => {
    const holders = cores.filter((core) => core.threads.some((thread) => thread.role === role));
    const cpus = holders.flatMap((core) =>
      core.threads.filter((thread) => thread.role === role).map((thread) => thread.cpu),
    );
    if (role === 'offline') cpus.push(...gone);
    if (cpus.length === 0) return [];
    return [{ role, cpus: cpus.sort((left, right) => left - right), cores: holders.length }];
  });
}

function offlineCpus(cpus: readonly Cpu[]): number[] {
  return cpus
    .filter((cpu) => !cpu.online)
    .map((cpu) => cpu.cpu)
    .sort((left, right) => left - right);
}

/** Groups by a number, ascending; what has none comes last. */
function splitBy(cores: readonly Core[], key: (core: Core) => number | undefined): [number | undefined, Core[]][] {
  const groups = new Map<number | undefined, Core[]>();
  for (const core of cores) groups.set(key(core), [...(groups.get(key(core)) ?? []), core]);
  const last = Number.MAX_SAFE_INTEGER;
  return [...groups].sort(([left], [right]) => (left ?? last) - (right ?? last));
}
