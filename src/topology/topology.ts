import type { HostReader } from '../host/host.ts';
import { readCaches } from './caches.ts';
import { readCoreTypes } from './core-types.ts';
import { readTopologyGroups } from './cpu-groups.ts';
import { parseCpuinfo } from './cpuinfo.ts';
import { readInteger, readValue } from './kernel-file.ts';
import type { Cpu, Topology } from './machine.ts';
import { readNodes } from './nodes.ts';
import { CPU_ROOT, readPresentCpus } from './present-cpus.ts';

/**
 * CPUs, nodes and caches. Cores and packages carry the numbers that `lscpu -p=CPU,CORE,SOCKET,NODE` prints, save that
 * they are unique in the machine also where CPUs of several models share it (lscpu counts each model from 0).
 * `cpuinfo` is the text of /proc/cpuinfo. Throws UsageError when there is no CPU.
 */
export async function readTopology(reader: HostReader, cpuinfo: string): Promise<Topology> {
  const present = await readPresentCpus(reader, cpuinfo);
  const online = present.cpus.filter((cpu) => present.online.has(cpu));
  const groups = await readTopologyGroups(reader, present.cpus, () => parseCpuinfo(cpuinfo));
  const threadsOf = (cpu: number) => groups.cores.members[groups.cores.numberOf.get(cpu) ?? -1] ?? [cpu];
  const { nodes, nodeOf } = await readNodes(reader, present.online);
  const caches = await readCaches(reader, online, threadsOf);
  const coreTypes = await readCoreTypes(reader, online);
  const l3s = caches.filter(({ level }) => level === 3);
  const cpus = present.cpus.map((cpu): Cpu => {
    const l3 = l3s.findIndex((cache) => cache.cpus.includes(cpu));
    const coreType = coreTypes.get(cpu);
    return {
      cpu,
      online: present.online.has(cpu),
      core: groups.cores.numberOf.get(cpu),
      package: groups.packages.numberOf.get(cpu),
      die: groups.dies.numberOf.get(cpu),
      node: nodeOf.get(cpu),
      l3: l3 < 0 ? undefined : l3,
      siblings: threadsOf(cpu),
      ...(coreType && { coreType }),
    };
  });
  return { cpus, nodes, caches, smt: await readSmt(reader, cpus) };
}

/** https://docs.kernel.org/admin-guide/abi-testing.html (/sys/devices/system/cpu/smt); since 4.19. */
async function readSmt(reader: HostReader, cpus: readonly Cpu[]): Promise<Topology['smt']> {
  const active = await readInteger(reader, `${CPU_ROOT}/smt/active`);
  return {
    active: active === undefined ? cpus.some(({ siblings }) => siblings.length > 1) : active === 1,
    control: await readValue(reader, `${CPU_ROOT}/smt/control`),
  };
}
