import { type CpuSet, printCpulist, printCpumask } from '../../../src/topology/cpulist.ts';
import { FakeHost } from '../../fake-host.ts';

/** One CPU of a made-up machine; its sets as cpulists. What is left out has no file. */
export interface SysfsCpu {
  readonly threads?: CpuSet;
  readonly package?: CpuSet;
  readonly die?: CpuSet;
  readonly caches?: readonly { level: number; type: string; size: string; cpus: CpuSet }[];
  readonly online?: '0' | '1';
  readonly capacity?: number;
  readonly maxKHz?: number;
}

const CPU_ROOT = '/sys/devices/system/cpu';

/** The files of a made-up machine, as a kernel would show them. */
export function sysfsOf(cpus: Readonly<Record<number, SysfsCpu>>, others: Record<string, string> = {}): FakeHost {
  const numbers = Object.keys(cpus).map(Number);
  const online = numbers.filter((cpu) => cpus[cpu]?.online !== '0');
  return new FakeHost({
    [`${CPU_ROOT}/possible`]: `${printCpulist(numbers)}\n`,
    [`${CPU_ROOT}/present`]: `${printCpulist(numbers)}\n`,
    [`${CPU_ROOT}/online`]: `${printCpulist(online)}\n`,
    ...Object.assign({}, ...numbers.map((cpu) => cpuFiles(cpu, cpus[cpu] as SysfsCpu))),
    ...others,
  });
}

function cpuFiles(cpu: number, { threads, package: pack, die, caches, online, capacity, maxKHz }: SysfsCpu) {
  const folder = `${CPU_ROOT}/cpu${cpu}`;
  const files: Record<string, string> = { [`${folder}/uevent`]: '' };
  if (threads) files[`${folder}/topology/thread_siblings`] = `${printCpumask(threads)}\n`;
  if (pack) files[`${folder}/topology/core_siblings`] = `${printCpumask(pack)}\n`;
  if (die) files[`${folder}/topology/die_cpus`] = `${printCpumask(die)}\n`;
  if (online) files[`${folder}/online`] = `${online}\n`;
  if (capacity) files[`${folder}/cpu_capacity`] = `${capacity}\n`;
  if (maxKHz) files[`${folder}/cpufreq/cpuinfo_max_freq`] = `${maxKHz}\n`;
  for (const [index, cache] of (caches ?? []).entries()) {
    files[`${folder}/cache/index${index}/level`] = `${cache.level}\n`;
    files[`${folder}/cache/index${index}/type`] = `${cache.type}\n`;
    files[`${folder}/cache/index${index}/size`] = `${cache.size}\n`;
    files[`${folder}/cache/index${index}/shared_cpu_map`] = `${printCpumask(cache.cpus)}\n`;
  }
  return files;
}

/** The files of one NUMA node. */
export function nodeFiles(node: number, cpus: CpuSet, distances: readonly number[], memoryKiB = 1024) {
  const folder = `/sys/devices/system/node/node${node}`;
  return {
    [`${folder}/cpumap`]: `${printCpumask(cpus)}\n`,
    [`${folder}/cpulist`]: `${printCpulist(cpus)}\n`,
    [`${folder}/distance`]: `${distances.join(' ')}\n`,
    [`${folder}/meminfo`]: `Node ${node} MemTotal:       ${memoryKiB} kB\nNode ${node} MemFree:  1 kB\n`,
  };
}
