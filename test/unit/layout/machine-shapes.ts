import type { Cpu, Machine, NumaNode } from '../../../src/topology/machine.ts';
import { buildMachine } from '../../machine-builder.ts';

/** Shapes that buildMachine does not have, made from its machines. */

export function withCpus(machine: Machine, change: (cpu: Cpu) => Cpu): Machine {
  return withTopology(machine, machine.topology.cpus.map(change), machine.topology.nodes);
}

function withTopology(machine: Machine, cpus: readonly Cpu[], nodes: readonly NumaNode[]): Machine {
  return { ...machine, topology: { ...machine.topology, cpus, nodes } };
}

/** Other CPU numbers for the same hardware: sparse, or siblings next to each other. */
export function renumber(machine: Machine, to: (cpu: number) => number): Machine {
  const cpus = machine.topology.cpus.map((cpu) => ({ ...cpu, cpu: to(cpu.cpu), siblings: cpu.siblings.map(to) }));
  const nodes = machine.topology.nodes.map((node) => ({ ...node, cpus: node.cpus.map(to) }));
  return withTopology(machine, cpus, nodes);
}

/** Siblings next to each other, as on many AMD and ARM machines: 0,1 are one core. */
export function withAdjacentSiblings(machine: Machine, cores: number, threads: number): Machine {
  return renumber(machine, (cpu) => (cpu % cores) * threads + Math.floor(cpu / cores));
}

/** What the kernel says of CPUs that are offline: no core, no package, and the siblings do not list them. */
export function takeOffline(machine: Machine, offline: readonly number[]): Machine {
  const changed = withCpus(machine, (cpu) => {
    const siblings = cpu.siblings.filter((sibling) => !offline.includes(sibling));
    if (!offline.includes(cpu.cpu)) return { ...cpu, siblings };
    return { ...cpu, online: false, core: undefined, package: undefined, die: undefined, l3: undefined, siblings: [] };
  });
  const nodes = changed.topology.nodes.map((node) => ({
    ...node,
    cpus: node.cpus.filter((cpu) => !offline.includes(cpu)),
  }));
  return withTopology(changed, changed.topology.cpus, nodes);
}

/** A node that has memory and no CPUs (CXL, high-bandwidth memory), at the given distance from all others. */
export function addNodeWithoutCpus(machine: Machine, node: number, distance: number): Machine {
  const nodes = machine.topology.nodes.map((known) => ({ ...known, distances: [...known.distances, distance] }));
  const added: NumaNode = {
    node,
    cpus: [],
    memoryBytes: 64 * 2 ** 30,
    hugepages: [],
    distances: [...nodes.map(() => distance), 10],
  };
  return withTopology(machine, machine.topology.cpus, [...nodes, added]);
}

/** A hybrid desktop of one package: performance cores with two threads each, then efficiency cores with one. */
export function buildHybrid(performance: number, efficiency: number): Machine {
  const machine = buildMachine({ packages: 1, coresPerPackage: performance * 2 + efficiency });
  return withCpus(machine, (cpu) => {
    const fast = cpu.cpu < performance * 2;
    const core = fast ? Math.floor(cpu.cpu / 2) : cpu.cpu - performance;
    const siblings = fast ? [core * 2, core * 2 + 1] : [cpu.cpu];
    return { ...cpu, core, siblings, coreType: fast ? 'performance' : 'efficiency' };
  });
}

/** A virtual machine whose kernel says nothing of cores, packages, nodes and caches. */
export function buildFeatureless(cpus: number): Machine {
  const machine = buildMachine({ packages: 1, coresPerPackage: cpus });
  const bare = withCpus(machine, (cpu) => ({
    ...cpu,
    core: undefined,
    package: undefined,
    die: undefined,
    node: undefined,
    l3: undefined,
  }));
  return withTopology(bare, bare.topology.cpus, []);
}
