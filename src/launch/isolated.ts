import type { HostReader } from '../host/host.ts';
import { intersection, parseCpulist, union } from '../topology/cpulist.ts';
import { CGROUPS, PARTITION } from './partition.ts';
import { readOrNothing } from './read-or-nothing.ts';

/** CPUs that the running kernel keeps others off since boot (isolcpus). The effect, not what somebody asked for. */
export async function readBootIsolated(reader: HostReader): Promise<readonly number[]> {
  return parseCpulist(((await reader.readText('/sys/devices/system/cpu/isolated')) ?? '').trim());
}

/** Those, and the CPUs of a cpuset partition that is in effect. */
export async function readIsolated(reader: HostReader): Promise<readonly number[]> {
  const partition = await readPartition(reader);
  return union(await readBootIsolated(reader), partition?.cpus ?? []);
}

const SLICE = `${CGROUPS}${PARTITION}`;

export interface Partition {
  /** As the kernel says it: `isolated`, `isolated invalid (Cpu list in cpuset.cpus not exclusive)`. */
  readonly state: string;
  /** What it keeps others off; empty when it is not valid. */
  readonly cpus: readonly number[];
  /** It takes single threads of processes in the root cgroup; false: whole processes only, as an earlier hft made it. */
  readonly isThreaded: boolean;
}

/**
 * The cpuset partition; undefined: there is none. A write of `isolated` succeeds and can leave it invalid, so its state counts, and the CPUs that
 * it has in effect; where the kernel also lists what is isolated in all (since 6.8), only those that are there.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset-interface-files
 */
export async function readPartition(reader: HostReader): Promise<Partition | undefined> {
  const state = (await readOrNothing(reader, `${SLICE}/cpuset.cpus.partition`))?.trim();
  if (state === undefined || state === 'member') return undefined;
  const isThreaded = (await readOrNothing(reader, `${SLICE}/cgroup.type`))?.trim() === 'threaded';
  if (state !== 'isolated') return { state, cpus: [], isThreaded };
  const effective = parseCpulist(((await readOrNothing(reader, `${SLICE}/cpuset.cpus.effective`)) ?? '').trim());
  const listed = await readOrNothing(reader, '/sys/fs/cgroup/cpuset.cpus.isolated');
  const cpus = listed === undefined ? effective : intersection(effective, parseCpulist(listed.trim()));
  return { state, cpus, isThreaded };
}
