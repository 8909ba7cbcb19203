import type { HostReader } from '../host/host.ts';
import { parseCpulist } from '../topology/cpulist.ts';

/** CPUs that the running kernel keeps others off since boot (isolcpus). The effect, not what somebody asked for. */
export async function readIsolated(reader: HostReader): Promise<readonly number[]> {
  return parseCpulist(((await reader.readText('/sys/devices/system/cpu/isolated')) ?? '').trim());
}
