import fs from 'node:fs';
import path from 'node:path';
import { parseCpumask } from '../../src/topology/cpulist.ts';
import { nameOf } from './differences.ts';
import type { HwlocMachine, LscpuCaches, LscpuCpu } from './oracles.ts';

/**
 * Where lscpu and hwloc differ from each other or from the kernel, each found in the dump itself, never by its name.
 * Every field names what is then not compared with the one that deviates.
 */
export interface Peculiarities {
  /** lscpu counts cores and sockets of each CPU model from 0 (big.LITTLE); only which CPUs have one is compared. */
  readonly lscpuCountsPerModel: boolean;
  /** lscpu knows the masks by their old names only (thread_siblings); dumps made since 5.3 may have the new ones alone. */
  readonly lscpuHasNoCores: boolean;
  /** AMD family 15h: the kernel's core is the compute unit that shares an L2 and an FPU; hwloc draws its two halves. */
  readonly hwlocSplitsComputeUnits: boolean;
  /** The kernel was built without NUMA and has no nodes; hwloc draws one around everything. */
  readonly hasNoNuma: boolean;
  /** Firmware put a CPU in several nodes: lscpu takes the first, hwloc leaves such nodes out. */
  readonly nodesOverlap: boolean;
  /** CPUs deny each other's masks (made-up dumps): hwloc leaves out what crosses something else. */
  readonly masksContradict: boolean;
  /** lscpu adds up caches of offline CPUs, merges caches whose ids are the same and takes the first one's size, and
   *  counts a cache per thread when its map is empty. hwloc reads each map and size; where they differ it is right. */
  readonly cachesThatLscpuMerges: ReadonlySet<string>;
  /** SPARC has files of its own for its caches, which hwloc does not read. */
  readonly hwlocHasNoCaches: boolean;
}

export interface Answers {
  readonly lscpu: { readonly cpus: readonly LscpuCpu[]; readonly caches: readonly LscpuCaches[] } | undefined;
  readonly hwloc: HwlocMachine | undefined;
}

export function findPeculiarities(root: string, { lscpu, hwloc }: Answers): Peculiarities {
  const cpuRoot = path.join(root, 'sys/devices/system/cpu');
  const cpuinfo = read(path.join(root, 'proc/cpuinfo')) ?? '';
  const nodes = listFolders(path.join(root, 'sys/devices/system/node'), /^node\d+$/);
  return {
    lscpuCountsPerModel: new Set([...cpuinfo.matchAll(/^CPU part\s*: (.*)$/gm)].map((match) => match[1])).size > 1,
    lscpuHasNoCores: lscpu?.cpus.every(({ core }) => core === undefined) ?? false,
    hwlocSplitsComputeUnits: /^vendor_id\s*: AuthenticAMD$/m.test(cpuinfo) && /^cpu family\s*: 21$/m.test(cpuinfo),
    hasNoNuma: nodes.length === 0,
    nodesOverlap: overlap(nodes.map((node) => readMask(path.join(node, 'cpumap')))),
    masksContradict: masksContradict(cpuRoot),
    hwlocHasNoCaches: hwloc?.caches.length === 0,
    cachesThatLscpuMerges: new Set(
      lscpu?.caches.map(({ name }) => name).filter((name) => disagree(name, lscpu, hwloc)),
    ),
  };
}

function disagree(name: string, lscpu: Answers['lscpu'], hwloc: Answers['hwloc']): boolean {
  const theirs = hwloc?.caches.filter((cache) => nameOf(cache) === name) ?? [];
  const sum = theirs.reduce((total, { bytes }) => total + bytes, 0);
  // SPARC's caches, which hwloc does not know, and s390's, of which lscpu knows no sum.
  const allBytes = lscpu?.caches.find((cache) => cache.name === name)?.allBytes ?? 0;
  return allBytes === 0 || (theirs.length > 0 && sum !== allBytes);
}

function masksContradict(cpuRoot: string): boolean {
  const cpus = listFolders(cpuRoot, /^cpu\d+$/);
  const masks = ['topology/core_siblings', 'topology/thread_siblings', 'cache/index3/shared_cpu_map'];
  return masks.some((name) => {
    const distinct = new Map(cpus.map((cpu) => [read(path.join(cpu, name)), readMask(path.join(cpu, name))]));
    return overlap([...distinct.values()]);
  });
}

function overlap(sets: readonly (readonly number[])[]): boolean {
  const all = sets.flat();
  return new Set(all).size < all.length;
}

function readMask(file: string): readonly number[] {
  const text = read(file);
  return text === undefined || text === '' ? [] : parseCpumask(text);
}

function read(file: string): string | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').replaceAll('\0', '').trim() : undefined;
}

function listFolders(folder: string, pattern: RegExp): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => path.join(folder, name));
}
