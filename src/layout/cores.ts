import type { Cpu, Machine, Topology } from '../topology/machine.ts';

/** One physical core with its online hardware threads, ascending. */
export interface Core {
  readonly cpus: readonly number[];
  readonly package: number | undefined;
  readonly node: number | undefined;
  readonly l3: number | undefined;
  readonly efficiency: boolean;
}

/**
 * The cores that have an online CPU, by their lowest CPU. A CPU whose core the kernel does not name (some virtual
 * machines) is a core together with its siblings.
 */
export function groupCores(topology: Topology): Core[] {
  const threads = new Map<string, Cpu[]>();
  const ascending = [...topology.cpus].sort((left, right) => left.cpu - right.cpu);
  for (const cpu of ascending) {
    if (!cpu.online) continue;
    const key = cpu.core === undefined ? `cpu ${Math.min(cpu.cpu, ...cpu.siblings)}` : `core ${cpu.core}`;
    threads.set(key, [...(threads.get(key) ?? []), cpu]);
  }
  return [...threads.values()].map((cpus) => {
    const first = cpus[0] as Cpu;
    return {
      cpus: cpus.map((cpu) => cpu.cpu),
      package: first.package,
      node: first.node,
      l3: first.l3,
      efficiency: first.coreType === 'efficiency',
    };
  });
}

/** The CPU that the kernel's own work cannot leave: CPU 0, or the lowest one when CPU 0 is offline. */
export function findBootCpu(topology: Topology): number | undefined {
  const online = topology.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.cpu);
  return online.length === 0 ? undefined : Math.min(...online);
}

/** The NUMA nodes that have online CPUs, ascending. `undefined` stands for CPUs of no known node and comes last. */
export function nodesInUse(cores: readonly Core[]): (number | undefined)[] {
  const nodes = [...new Set(cores.map((core) => core.node))];
  return nodes.sort((left, right) => (left ?? Number.MAX_SAFE_INTEGER) - (right ?? Number.MAX_SAFE_INTEGER));
}

/** Distance between two nodes as the firmware tells it: 10 on the node itself; undefined when it tells none. */
export function nodeDistance(machine: Machine, from: number | undefined, to: number | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  if (from === to) return 10;
  const { nodes } = machine.topology;
  const position = nodes.findIndex((node) => node.node === to);
  return nodes.find((node) => node.node === from)?.distances[position];
}

/** The nodes in use, nearest to one of the home nodes first, then by number. */
export function nodesByDistance(
  machine: Machine,
  nodes: readonly (number | undefined)[],
  home: readonly number[],
): (number | undefined)[] {
  const far = Number.MAX_SAFE_INTEGER;
  const distance = (node: number | undefined): number =>
    node !== undefined && home.includes(node)
      ? 0
      : Math.min(far, ...home.map((from) => nodeDistance(machine, from, node) ?? far));
  const order = new Map(nodes.map((node) => [node, distance(node)]));
  return [...nodes].sort(
    (left, right) => (order.get(left) as number) - (order.get(right) as number) || (left ?? far) - (right ?? far),
  );
}
