import type { HostReader } from '../host/host.ts';
import { parseCpulist, union } from '../topology/cpulist.ts';

/** CPUs that the running kernel keeps others off: isolcpus at boot, and since Linux 6.7 cpuset partitions too. The effect, not what somebody asked for. */
export async function readIsolated(reader: HostReader): Promise<readonly number[]> {
  const files = ['/sys/devices/system/cpu/isolated', '/sys/fs/cgroup/cpuset.cpus.isolated'];
  const texts = await Promise.all(files.map((file) => reader.readText(file)));
  return union(...texts.map((text) => parseCpulist((text ?? '').trim())));
}
