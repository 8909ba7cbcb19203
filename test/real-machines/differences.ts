import { isSubset, parseCpulist, printCpulist } from '../../src/topology/cpulist.ts';
import type { Cache, Machine } from '../../src/topology/machine.ts';
import type { HwlocMachine, LscpuCaches, LscpuCpu } from './oracles.ts';
import type { Peculiarities } from './peculiarities.ts';

export function differencesFromLscpu(machine: Machine, cpus: readonly LscpuCpu[], odd: Peculiarities): string[] {
  const ours = new Map(machine.topology.cpus.map((cpu) => [cpu.cpu, cpu]));
  return [
    ...compareSets(
      'CPUs',
      [...ours.keys()].map(String),
      cpus.map(({ cpu }) => `${cpu}`),
    ),
    ...cpus.flatMap((theirs) => {
      const cpu = ours.get(theirs.cpu);
      const place = `CPU ${theirs.cpu}`;
      return [
        ...compare(`${place} online`, cpu?.online, theirs.online),
        ...compare(`${place} node`, cpu?.node, theirs.node),
        ...(odd.lscpuHasNoCores ? [] : compareNumbers(`${place} core`, cpu?.core, theirs.core, odd)),
        ...(odd.lscpuHasNoCores ? [] : compareNumbers(`${place} package`, cpu?.package, theirs.package, odd)),
      ];
    }),
    ...cacheSharing(machine, cpus),
  ];
}

function compareNumbers(
  what: string,
  hft: number | undefined,
  lscpu: number | undefined,
  odd: Peculiarities,
): string[] {
  return odd.lscpuCountsPerModel
    ? compare(`${what} known`, hft !== undefined, lscpu !== undefined)
    : compare(what, hft, lscpu);
}

/** Which CPUs share each cache, where lscpu says it for every online CPU. */
function cacheSharing(machine: Machine, cpus: readonly LscpuCpu[]): string[] {
  const online = cpus.filter((cpu) => cpu.online);
  if (!online.every((cpu) => cpu.caches)) return [];
  const names = new Set(online.flatMap((cpu) => Object.keys(cpu.caches ?? {})));
  return [...names].flatMap((name) =>
    compareSets(
      `${name} sharing`,
      machine.topology.caches.filter((cache) => nameOf(cache) === name).map(({ cpus: shared }) => printCpulist(shared)),
      asPartition(groupBy(online, (cpu) => cpu.caches?.[name])),
    ),
  );
}

/** The sum of all sizes of each kind of cache. */
export function cacheDifferencesFromLscpu(
  machine: Machine,
  caches: readonly LscpuCaches[],
  odd: Peculiarities,
): string[] {
  return caches
    .filter(({ name }) => !odd.cachesThatLscpuMerges.has(name))
    .flatMap(({ name, allBytes }) => {
      const ours = machine.topology.caches.filter((cache) => nameOf(cache) === name);
      const sum = ours.reduce((total, { bytes }) => total + bytes, 0);
      return compare(`${name} sum of sizes`, sum, allBytes);
    });
}

export function differencesFromHwloc(machine: Machine, hwloc: HwlocMachine, odd: Peculiarities): string[] {
  const online = machine.topology.cpus.filter((cpu) => cpu.online);
  const cores = asPartition(groupBy(online, ({ core }) => core));
  const packages = asPartition(groupBy(online, (cpu) => cpu.package));
  const caches = machine.topology.caches.map(describeCache);
  const halves = hwloc.cores.filter((half) => !cores.some((core) => isSubset(half, parseCpulist(core))));
  return [
    ...compareSets(
      'online CPUs',
      online.map(({ cpu }) => `${cpu}`),
      hwloc.cpus.map(String),
    ),
    ...(odd.hwlocSplitsComputeUnits
      ? compareSets('cores that hold a half', [], asPartition(halves))
      : compareSets('cores', cores, asPartition(hwloc.cores))),
    ...(odd.masksContradict ? [] : compareSets('packages', packages, asPartition(hwloc.packages))),
    ...(odd.masksContradict || odd.hwlocHasNoCaches
      ? []
      : compareSets('caches', caches, hwloc.caches.map(describeCache))),
    ...nodeDifferences(machine, hwloc, odd),
  ];
}

function nodeDifferences(machine: Machine, hwloc: HwlocMachine, odd: Peculiarities): string[] {
  if (odd.hasNoNuma || odd.nodesOverlap) return [];
  const theirs = new Map(hwloc.nodes.map((node) => [node.node, node]));
  return [
    ...compareSets(
      'nodes',
      machine.topology.nodes.map(({ node }) => `${node}`),
      hwloc.nodes.map(({ node }) => `${node}`),
    ),
    ...machine.topology.nodes
      // A node without CPUs is drawn by hwloc beside the CPUs that are near; the kernel gives it none.
      .filter(({ cpus }) => cpus.length > 0)
      .flatMap(({ node, cpus }) =>
        compare(`node ${node}`, printCpulist(cpus), printCpulist(theirs.get(node)?.cpus ?? [])),
      ),
  ];
}

function compare(what: string, hft: unknown, other: unknown): string[] {
  return hft === other ? [] : [`${what}: hft ${hft}, expected ${other}`];
}

/** Names only what differs: a machine has hundreds of caches. */
function compareSets(what: string, hft: readonly string[], other: readonly string[]): string[] {
  const [ours, theirs] = [new Set(hft), new Set(other)];
  return [
    ...hft.filter((each) => !theirs.has(each)).map((each) => `${what}: hft alone has ${each}`),
    ...other.filter((each) => !ours.has(each)).map((each) => `${what}: hft lacks ${each}`),
    ...compare(`number of ${what}`, hft.length, other.length),
  ];
}

/** Sets as text, so that a failure reads as CPU lists. Empty sets say nothing. */
function asPartition(sets: Iterable<readonly number[]>): string[] {
  return [...sets].map(printCpulist).filter((set) => set !== '');
}

function groupBy<T extends { readonly cpu: number }>(cpus: readonly T[], keyOf: (cpu: T) => unknown): number[][] {
  const groups = new Map<unknown, number[]>();
  for (const cpu of cpus) {
    const key = keyOf(cpu);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), cpu.cpu]);
  }
  return [...groups.values()];
}

function describeCache(cache: Cache): string {
  return `${nameOf(cache)} ${cache.bytes} bytes of ${printCpulist(cache.cpus)}`;
}

export function nameOf({ level, type }: Pick<Cache, 'level' | 'type'>): string {
  return `L${level}${type === 'unified' ? '' : type.charAt(0)}`;
}
