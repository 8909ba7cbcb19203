import type { HostReader } from '../host/host.ts';
import type { CpuSet } from './cpulist.ts';
import { readCpulist, readCpumask, readInteger, readNames, readValue } from './kernel-file.ts';
import type { Cache } from './machine.ts';
import { CPU_ROOT } from './present-cpus.ts';

/**
 * The caches of the online CPUs, each once, ordered by level, type and lowest CPU.
 * https://docs.kernel.org/admin-guide/abi-testing.html (/sys/devices/system/cpu/cpuX/cache).
 * A cache that an earlier CPU shares with this one is not read again: of 96 CPUs some 60 files are left of 1600.
 * `coreOf` gives the threads of a CPU's core, for kernels that leave the map of a cache empty.
 */
export async function readCaches(
  reader: HostReader,
  online: CpuSet,
  coreOf: (cpu: number) => CpuSet,
): Promise<readonly Cache[]> {
  const seen: Cache[] = [];
  /** The folders that need not be read: `CPU index count`, the CPU by a cache that an earlier one shares with it. */
  const known = new Set<string>();
  const isOnline = new Set(online);
  for (const cpu of online) {
    const indexes = (await readNames(reader, `${CPU_ROOT}/cpu${cpu}/cache`)).filter((name) => /^index\d+$/.test(name));
    for (const index of indexes) {
      // The numbering of the folders is compared only between CPUs that have as many.
      const keyOf = (member: number) => `${member} ${index} ${indexes.length}`;
      if (known.has(keyOf(cpu))) continue;
      const cache = await readCache(reader, cpu, index, coreOf);
      if (!cache) continue;
      const isSeen = seen.some(
        ({ level, type, cpus }) => level === cache.level && type === cache.type && cpus.includes(cpu),
      );
      const cpus = cache.cpus.filter((member) => isOnline.has(member));
      if (isSeen) continue;
      seen.push({ ...cache, cpus });
      for (const member of cpus) known.add(keyOf(member));
    }
  }
  if (seen.length === 0) return readSparcCaches(reader, online);
  return seen.sort(byLevelTypeAndCpu);
}

async function readCache(
  reader: HostReader,
  cpu: number,
  index: string,
  coreOf: (cpu: number) => CpuSet,
): Promise<Cache | undefined> {
  const folder = `${CPU_ROOT}/cpu${cpu}/cache/${index}`;
  const level = await readInteger(reader, `${folder}/level`);
  const type = parseCacheType(await readValue(reader, `${folder}/type`));
  if (level === undefined || type === undefined) return undefined;
  const shared =
    (await readCpumask(reader, `${folder}/shared_cpu_map`)) ?? (await readCpulist(reader, `${folder}/shared_cpu_list`));
  const bytes = parseCacheSize(await readValue(reader, `${folder}/size`)) ?? 0;
  // IA-64 kernels leave the map empty, some others the whole file: the cache belongs to the core then.
  return { level, type, bytes, cpus: shared?.includes(cpu) ? shared : coreOf(cpu) };
}

const SPARC_CACHES = [
  { name: 'l1_dcache_size', level: 1, type: 'data' },
  { name: 'l1_icache_size', level: 1, type: 'instruction' },
  { name: 'l2_cache_size', level: 2, type: 'unified' },
] as const;

/** 64-bit SPARC has one file of bytes per cache and CPU, and does not say who shares it: each is taken as its CPU's. */
async function readSparcCaches(reader: HostReader, online: CpuSet): Promise<readonly Cache[]> {
  const caches: Cache[] = [];
  for (const { name, level, type } of SPARC_CACHES) {
    for (const cpu of online) {
      const bytes = await readInteger(reader, `${CPU_ROOT}/cpu${cpu}/${name}`);
      if (bytes === undefined) break;
      caches.push({ level, type, bytes, cpus: [cpu] });
    }
  }
  return caches;
}

/** `Data`, `Instruction` or `Unified`; undefined for the kernel's `Unknown`. */
export function parseCacheType(text: string | undefined): Cache['type'] | undefined {
  const type = text?.trim().toLowerCase();
  return type === 'data' || type === 'instruction' || type === 'unified' ? type : undefined;
}

/** `32K`, `1M` or plain bytes, as bytes; undefined for anything else. */
export function parseCacheSize(text: string | undefined): number | undefined {
  const match = /^(\d+)([KMG]?)B?$/i.exec(text?.trim() ?? '');
  if (!match) return undefined;
  const unit = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(match[2] as string).toUpperCase()] as number;
  return Number(match[1]) * unit;
}

const TYPES: readonly Cache['type'][] = ['data', 'instruction', 'unified'];

function byLevelTypeAndCpu(left: Cache, right: Cache): number {
  return (
    left.level - right.level ||
    TYPES.indexOf(left.type) - TYPES.indexOf(right.type) ||
    (left.cpus[0] as number) - (right.cpus[0] as number)
  );
}
