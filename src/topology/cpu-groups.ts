import type { HostReader } from '../host/host.ts';
import type { CpuinfoProcessor } from './cpuinfo.ts';
import type { CpuSet } from './cpulist.ts';
import { readCpulist, readCpumask, readInteger } from './kernel-file.ts';
import { CPU_ROOT } from './present-cpus.ts';

/** CPUs in disjoint groups (cores, dies, packages), numbered in the order of their lowest CPU, as lscpu does. */
export interface CpuGroups {
  readonly members: readonly CpuSet[];
  readonly numberOf: ReadonlyMap<number, number>;
}

/** The two names that each mask has had: 5.3 renamed them and keeps the old ones. */
const CORE_MASKS = ['thread_siblings', 'core_cpus'];
const PACKAGE_MASKS = ['core_siblings', 'package_cpus'];

export interface TopologyGroups {
  readonly cores: CpuGroups;
  readonly dies: CpuGroups;
  readonly packages: CpuGroups;
}

/**
 * Cores, dies and packages from /sys/devices/system/cpu/cpuN/topology.
 * https://docs.kernel.org/admin-guide/cputopology.html
 * A kernel without these masks is asked for its ids, then /proc/cpuinfo; one that says nothing gives empty groups.
 */
export async function readTopologyGroups(
  reader: HostReader,
  cpus: CpuSet,
  processors: () => readonly CpuinfoProcessor[],
): Promise<TopologyGroups> {
  const packageMasks = await readGroups(reader, cpus, PACKAGE_MASKS);
  const coreMasks = await readGroups(reader, cpus, CORE_MASKS);
  const dieMasks = await readGroups(reader, cpus, ['die_cpus']);
  const ids = packageMasks.members.length && coreMasks.members.length ? [] : await readIds(reader, cpus, processors);
  const packages = packageMasks.members.length ? packageMasks : groupBy(ids, (id) => id.package);
  const cores = coreMasks.members.length ? coreMasks : groupBy(ids, (id) => id.core && `${id.package} ${id.core}`);
  // Where the architecture knows no dies, the kernel shows each CPU as one of its own.
  const knowsDies = dieMasks.members.some((members) => members.length > 1);
  return { cores, dies: knowsDies ? dieMasks : packages, packages };
}

/** A CPU already named by an earlier CPU's mask is not asked again: halves the reads, and settles masks that disagree. */
async function readGroups(reader: HostReader, cpus: CpuSet, names: readonly string[]): Promise<CpuGroups> {
  const members: CpuSet[] = [];
  const numberOf = new Map<number, number>();
  for (const cpu of cpus) {
    if (numberOf.has(cpu)) continue;
    const mask = await readSiblings(reader, cpu, names);
    // A CPU that is offline has an empty mask, or none.
    if (!mask?.includes(cpu)) continue;
    const group = mask.filter((member) => !numberOf.has(member));
    for (const member of group) numberOf.set(member, members.length);
    members.push(group);
  }
  return { members, numberOf };
}

async function readSiblings(reader: HostReader, cpu: number, names: readonly string[]): Promise<CpuSet | undefined> {
  const folder = `${CPU_ROOT}/cpu${cpu}/topology`;
  for (const name of names) {
    const mask =
      (await readCpumask(reader, `${folder}/${name}`)) ?? (await readCpulist(reader, `${folder}/${name}_list`));
    if (mask) return mask;
  }
  return undefined;
}

interface CpuIds {
  readonly cpu: number;
  readonly package: string | undefined;
  readonly core: string | undefined;
}

async function readIds(
  reader: HostReader,
  cpus: CpuSet,
  processors: () => readonly CpuinfoProcessor[],
): Promise<CpuIds[]> {
  const listed = new Map(processors().map(({ cpu, fields }) => [cpu, fields]));
  return Promise.all(
    cpus.map(async (cpu) => {
      const folder = `${CPU_ROOT}/cpu${cpu}/topology`;
      const fields = listed.get(cpu);
      const packageId = await readInteger(reader, `${folder}/physical_package_id`);
      const coreId = await readInteger(reader, `${folder}/core_id`);
      return {
        cpu,
        package: packageId?.toString() ?? fields?.get('physical id'),
        core: coreId?.toString() ?? fields?.get('core id'),
      };
    }),
  );
}

function groupBy(ids: readonly CpuIds[], keyOf: (ids: CpuIds) => string | undefined): CpuGroups {
  const byKey = new Map<string, number[]>();
  for (const id of ids) {
    const key = keyOf(id);
    if (key === undefined || key === '') continue;
    byKey.set(key, [...(byKey.get(key) ?? []), id.cpu]);
  }
  const members = [...byKey.values()];
  return { members, numberOf: new Map(members.flatMap((cpus, number) => cpus.map((cpu) => [cpu, number] as const))) };
}
