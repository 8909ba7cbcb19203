import { UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { parseCpuinfo } from './cpuinfo.ts';
import { type CpuSet, intersection } from './cpulist.ts';
import { readCpulist, readInteger, readNames } from './kernel-file.ts';

export const CPU_ROOT = '/sys/devices/system/cpu';

export interface PresentCpus {
  /** Every CPU that is plugged in, ascending. */
  readonly cpus: CpuSet;
  readonly online: ReadonlySet<number>;
}

/**
 * Which CPUs there are. The kernel's `possible` counts empty sockets; `present` does not.
 * https://docs.kernel.org/admin-guide/cputopology.html. Kernels before 2.6.29 have no such files: there, and in dumps
 * that left them out, the cpuN folders count, and without sysfs /proc/cpuinfo.
 * Throws UsageError when there is no CPU at all: this is no machine.
 */
export async function readPresentCpus(reader: HostReader, cpuinfo: string): Promise<PresentCpus> {
  const [possible, present, online] = await Promise.all([
    readCpulist(reader, `${CPU_ROOT}/possible`),
    readCpulist(reader, `${CPU_ROOT}/present`),
    readCpulist(reader, `${CPU_ROOT}/online`),
  ]);
  const cpus = present?.length ? intersection(present, possible ?? present) : await findCpus(reader, cpuinfo);
  if (cpus.length === 0) {
    throw new UsageError(
      `${reader.label}: expected CPUs in ${CPU_ROOT} or /proc/cpuinfo, found none, so this is not a Linux machine`,
      { next: ['Give a folder (or a tar of one) that holds `sys` and `proc`, as `hft snapshot` makes it.'] },
    );
  }
  return { cpus, online: new Set(online?.length ? online : await findOnline(reader, cpus)) };
}

async function findCpus(reader: HostReader, cpuinfo: string): Promise<CpuSet> {
  const folders = (await readNames(reader, CPU_ROOT)).flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? []);
  const found = folders.length > 0 ? folders.map(Number) : parseCpuinfo(cpuinfo).map(({ cpu }) => cpu);
  return [...new Set(found)].sort((left, right) => left - right);
}

/** A CPU that cannot be taken offline (usually CPU 0) has no `online` file. */
async function findOnline(reader: HostReader, cpus: CpuSet): Promise<CpuSet> {
  const states = await Promise.all(cpus.map((cpu) => readInteger(reader, `${CPU_ROOT}/cpu${cpu}/online`)));
  return cpus.filter((_, position) => states[position] !== 0);
}
