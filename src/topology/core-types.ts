import type { HostReader } from '../host/host.ts';
import type { CpuSet } from './cpulist.ts';
import { readCpulist, readInteger } from './kernel-file.ts';
import type { Cpu } from './machine.ts';
import { CPU_ROOT } from './present-cpus.ts';

export type CoreType = NonNullable<Cpu['coreType']>;

/**
 * Cores of the same kind differ by a few percent (favoured cores of turbo boost, binning); kinds differ by a third and
 * more (Zen 5c, E-cores, Cortex-A7xx beside X). Below this share of the best, a core is of the lesser kind.
 */
const SAME_KIND_SHARE = 0.8;

/**
 * The kind of each core of a hybrid machine; empty when all are alike. Asked in this order:
 * the PMUs of Intel (/sys/devices/cpu_core/cpus and cpu_atom, cpu_lowpower), the scheduler's capacity
 * (cpuN/cpu_capacity; arm64, and x86 since 6.12), the greatest frequency (cpuN/cpufreq/cpuinfo_max_freq).
 */
export async function readCoreTypes(reader: HostReader, online: CpuSet): Promise<ReadonlyMap<number, CoreType>> {
  const [performance, efficiency, lowPower] = await Promise.all(
    ['cpu_core', 'cpu_atom', 'cpu_lowpower'].map((pmu) => readCpulist(reader, `/sys/devices/${pmu}/cpus`)),
  );
  if (performance?.length && efficiency?.length) {
    const types = new Map<number, CoreType>(performance.map((cpu) => [cpu, 'performance']));
    for (const cpu of [...efficiency, ...(lowPower ?? [])]) types.set(cpu, 'efficiency');
    return types;
  }
  const capacities = await readPerCpu(reader, online, 'cpu_capacity');
  if (capacities) return splitByStrength(capacities);
  return splitByStrength((await readPerCpu(reader, online, 'cpufreq/cpuinfo_max_freq')) ?? new Map());
}

/** One number of each CPU; undefined as soon as one has none. */
async function readPerCpu(reader: HostReader, cpus: CpuSet, name: string): Promise<Map<number, number> | undefined> {
  const values = new Map<number, number>();
  for (const cpu of cpus) {
    const value = await readInteger(reader, `${CPU_ROOT}/cpu${cpu}/${name}`);
    if (value === undefined || value <= 0) return undefined;
    values.set(cpu, value);
  }
  return values;
}

/** Who comes near the strongest is a performance core; when all do, the machine is not hybrid. */
export function splitByStrength(strengthOf: ReadonlyMap<number, number>): ReadonlyMap<number, CoreType> {
  const strongest = Math.max(0, ...strengthOf.values());
  const types = new Map<number, CoreType>();
  for (const [cpu, strength] of strengthOf) {
    types.set(cpu, strength >= strongest * SAME_KIND_SHARE ? 'performance' : 'efficiency');
  }
  return new Set(types.values()).size > 1 ? types : new Map();
}
