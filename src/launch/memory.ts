import type { PlacedMachine } from '../layout/layout.ts';
import type { Problem } from '../profile/problem.ts';
import { parseCpulist, printCpulist } from '../topology/cpulist.ts';
import type { NumaNode } from '../topology/machine.ts';
import type { Note, PlacedMemory } from './placement.ts';
import { nodesOf, type ProcessWish } from './wishes.ts';

export interface JudgedMemory {
  readonly memory: PlacedMemory;
  readonly problems: readonly Problem[];
  readonly notes: readonly Note[];
}

const UNIT_BYTES: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/**
 * Where the memory of a process comes from. A process starts on housekeeping CPUs, and the kernel takes memory from the node of
 * the CPU that touches it first: without a policy the buffers of a hot thread can lie on another node. So memory is bound to the
 * node of the process's own CPUs unless the file says otherwise.
 */
export function placeMemory(wish: ProcessWish, own: readonly number[], machine: PlacedMachine): JudgedMemory {
  const { memory } = wish.wanted;
  const { nodes: known } = machine.topology;
  const isOwn = memory.nodes === 'own';
  const nodes =
    memory.nodes === 'own' ? nodesOf(own.length > 0 ? own : (wish.shared ?? []), machine) : parseCpulist(memory.nodes);
  const problems = isOwn ? [] : nodes.flatMap((node) => checkNode(node, known, { wish, host: machine.host }));
  const barren = nodes.filter((node) => known.some((each) => each.node === node && each.memoryBytes === 0));
  const chosen = memory.policy ?? (isOwn ? choosePolicy(own, nodes, barren) : 'bind');
  if (isOwn && barren.length > 0 && memory.policy !== undefined && memory.policy !== 'default')
    problems.push(
      wish.report(
        ['memory', 'policy'],
        `NUMA node ${printCpulist(barren)}, where its CPUs are, has no memory`,
        'Name nodes that have some: nodes: 0.',
      ),
    );
  const notes = noteNodes(wish, own, { nodes, barren });
  const base = {
    policy: chosen,
    nodes: chosen === 'default' ? [] : nodes,
    lock: memory.lock,
    hugepages: memory.hugepages,
  };
  return {
    memory: { ...base, why: sayWhy(chosen, { nodes, isSaid: memory.policy !== undefined || !isOwn }) },
    problems,
    notes,
  };
}

function choosePolicy(
  own: readonly number[],
  nodes: readonly number[],
  barren: readonly number[],
): PlacedMemory['policy'] {
  return own.length > 0 && nodes.length === 1 && barren.length === 0 ? 'bind' : 'default';
}

function checkNode(
  node: number,
  known: readonly NumaNode[],
  { wish, host }: { readonly wish: ProcessWish; readonly host: string },
): Problem[] {
  const found = known.find((each) => each.node === node);
  const numbers = printCpulist(known.filter(({ memoryBytes }) => memoryBytes > 0).map((each) => each.node)) || 'none';
  const hint = `NUMA nodes with memory: ${numbers}.`;
  if (found === undefined) return [wish.report(['memory', 'nodes'], `there is no NUMA node ${node} on ${host}`, hint)];
  return found.memoryBytes > 0
    ? []
    : [wish.report(['memory', 'nodes'], `NUMA node ${node} of ${host} has no memory`, hint)];
}

function noteNodes(
  wish: ProcessWish,
  own: readonly number[],
  at: { readonly nodes: readonly number[]; readonly barren: readonly number[] },
): Note[] {
  if (own.length === 0 || wish.wanted.memory.policy !== undefined) return [];
  if (wish.wanted.memory.nodes === 'own' && at.barren.length > 0)
    return [
      {
        about: wish.name,
        text: `NUMA node ${printCpulist(at.barren)}, where its CPUs are, has no memory: all of it is remote.`,
      },
    ];
  if (at.nodes.length > 1 && wish.wanted.memory.nodes === 'own')
    return [
      {
        about: wish.name,
        text: `Its CPUs are on NUMA nodes ${printCpulist(at.nodes)}: memory that its threads share is remote to some of them.`,
      },
    ];
  return [];
}

function sayWhy(
  policy: PlacedMemory['policy'],
  { nodes, isSaid }: { readonly nodes: readonly number[]; readonly isSaid: boolean },
): string {
  if (isSaid) return 'as the file says';
  if (policy === 'bind') return `the node of its own CPUs: it starts on others, which can be on another node`;
  return nodes.length > 1 ? 'its CPUs are on several nodes' : 'the node of the CPU that touches it first';
}

/** Hugepages of all processes against the pools of the nodes that they may take them from. */
export function checkHugepages(
  processes: readonly { readonly wish: ProcessWish; readonly memory: PlacedMemory }[],
  machine: PlacedMachine,
): Problem[] {
  const asked = new Map<string, number>();
  return processes.flatMap(({ wish, memory }) =>
    Object.entries(memory.hugepages).flatMap(([size, pages]) => {
      const nodes = memory.nodes.length > 0 ? memory.nodes : machine.topology.nodes.map(({ node }) => node);
      const key = `${size} ${printCpulist(nodes)}`;
      const total = (asked.get(key) ?? 0) + pages;
      asked.set(key, total);
      const there = countPages(pageBytes(size), nodes, machine);
      if (there === undefined || total <= there) return [];
      const before = total - pages === 0 ? '' : ` (${total - pages} are taken by processes above)`;
      const where = machine.topology.nodes.length === 0 ? machine.host : `NUMA node ${printCpulist(nodes)}`;
      return [
        wish.report(
          ['memory', 'hugepages', size],
          `${pages} pages of ${size} on ${where}, and there are ${there}${before}`,
          `Profile key memory.hugepages: { ${size}: { pages: ${total}, nodes: trading } }, or ask for fewer.`,
        ),
      ];
    }),
  );
}

/** Undefined where the host says nothing of hugepages at all (a capture without them). */
function countPages(bytes: number, nodes: readonly number[], { topology }: PlacedMachine): number | undefined {
  const pools = topology.nodes.filter(({ node }) => nodes.includes(node)).flatMap(({ hugepages }) => hugepages);
  if (pools.length === 0) return undefined;
  return pools.filter((pool) => pool.pageBytes === bytes).reduce((sum, pool) => sum + pool.total, 0);
}

function pageBytes(size: string): number {
  return Number.parseInt(size, 10) * (UNIT_BYTES[size.slice(-1)] ?? Number.NaN);
}
