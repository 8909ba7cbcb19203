import type { HostReader } from '../host/host.ts';
import { parseInteger, readCpulist, readCpumask, readInteger, readNames, readValue } from './kernel-file.ts';
import type { Hugepages, NumaNode } from './machine.ts';

const NODE_ROOT = '/sys/devices/system/node';

/** The nodes, and of which node each CPU is, offline CPUs too where the kernel still counts them. */
export interface CpuNodes {
  readonly nodes: readonly NumaNode[];
  readonly nodeOf: ReadonlyMap<number, number>;
}

/**
 * The NUMA nodes that are online, ascending; their numbers may have gaps. A kernel without NUMA has none.
 * Firmware that names a CPU in several nodes is believed for the first one only, as lscpu does.
 * https://docs.kernel.org/admin-guide/abi-stable.html (/sys/devices/system/node/nodeX)
 */
export async function readNodes(reader: HostReader, online: ReadonlySet<number>): Promise<CpuNodes> {
  const numbers = (await readNames(reader, NODE_ROOT)).flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []);
  const nodes: NumaNode[] = [];
  const nodeOf = new Map<number, number>();
  for (const node of numbers.map(Number).sort((left, right) => left - right)) {
    const read = await readNode(reader, node);
    const own = read.cpus.filter((cpu) => !nodeOf.has(cpu));
    for (const cpu of own) nodeOf.set(cpu, node);
    nodes.push({ ...read, cpus: own.filter((cpu) => online.has(cpu)) });
  }
  return { nodes, nodeOf };
}

async function readNode(reader: HostReader, node: number): Promise<NumaNode> {
  const folder = `${NODE_ROOT}/node${node}`;
  const [map, meminfo, distance, hugepages] = await Promise.all([
    readCpumask(reader, `${folder}/cpumap`),
    readValue(reader, `${folder}/meminfo`),
    readValue(reader, `${folder}/distance`),
    readHugepages(reader, `${folder}/hugepages`),
  ]);
  return {
    node,
    cpus: map ?? (await readCpulist(reader, `${folder}/cpulist`)) ?? [],
    memoryBytes: parseMemTotal(meminfo ?? '') ?? 0,
    hugepages,
    distances: parseDistances(distance ?? ''),
  };
}

/** `MemTotal` of a node's meminfo (`Node 0 MemTotal: 65763372 kB`) or of /proc/meminfo, in bytes. */
export function parseMemTotal(text: string): number | undefined {
  const match = /(?:^|\s)MemTotal:\s*(\d+)\s*kB/m.exec(text);
  return match ? Number(match[1]) * 1024 : undefined;
}

/** `10 21 21 21`; empty for text that is no row of distances. */
export function parseDistances(text: string): readonly number[] {
  const words = text.trim().split(/\s+/).map(parseInteger);
  return words.every((word) => word !== undefined) ? words : [];
}

/** The pools of a hugepages folder, smallest pages first. */
export async function readHugepages(reader: HostReader, folder: string): Promise<readonly Hugepages[]> {
  const pools = await Promise.all(
    (await readNames(reader, folder)).map(async (name) => {
      const pageBytes = parsePageBytes(name);
      const total = await readInteger(reader, `${folder}/${name}/nr_hugepages`);
      const free = await readInteger(reader, `${folder}/${name}/free_hugepages`);
      return pageBytes === undefined || total === undefined ? undefined : { pageBytes, total, free: free ?? total };
    }),
  );
  return pools.filter((pool) => pool !== undefined).sort((left, right) => left.pageBytes - right.pageBytes);
}

/** The page size in a pool's name, `hugepages-2048kB`, in bytes. */
export function parsePageBytes(name: string): number | undefined {
  const match = /^hugepages-(\d+)kB$/.exec(name);
  return match ? Number(match[1]) * 1024 : undefined;
}
