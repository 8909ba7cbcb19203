import type { HostReader } from '../../host/host.ts';
import { parseInterruptTable } from '../../launch/interrupt-text.ts';
import { readBootIsolated, readPartition } from '../../launch/isolated.ts';
import type { IsolatedCpu } from '../../metrics/host-families.ts';
import { union } from '../../topology/cpulist.ts';
import { readCpulist } from '../../topology/kernel-file.ts';

/** The CPUs that this kernel isolates, by argument or partition, and their interrupts since boot. */
export async function readIsolatedCpus(reader: HostReader): Promise<readonly IsolatedCpu[]> {
  const isolated = union(await readBootIsolated(reader), (await readPartition(reader))?.cpus ?? []);
  if (isolated.length === 0) return [];
  const tickless = (await readCpulist(reader, '/sys/devices/system/cpu/nohz_full')) ?? [];
  const { cpus } = parseInterruptTable((await reader.readText('/proc/interrupts')) ?? '', []);
  return isolated.flatMap((cpu): IsolatedCpu[] => {
    const counts = cpus.get(cpu);
    return counts === undefined ? [] : [{ cpu, ...counts, tickless: tickless.includes(cpu) }];
  });
}
