import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { isSubset, parseCpulist, printCpulist } from '../topology/cpulist.ts';
import { type MovableThread, observeThreads } from '../topology/kernel-threads.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import { bindInside, findInside, isInUse, releaseInside } from './partition-threads.ts';
import { setAffinity } from './thread-affinity.ts';
import type { CpusetPartitionTunable } from './tunable.ts';

/**
 * The partition state of a slice: `isolated`, `root`, or what the kernel says of an invalid one. A member with threads of a partition that was is
 * `member`; one without, and a slice that is not there, are null. A write of `isolated` succeeds and can still leave it invalid: the reading decides.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset-interface-files
 */
export const cpusetPartitionKind: TunableKind<CpusetPartitionTunable> = {
  persistent: false,
  async read(reader, tunable) {
    const path = pathOf(tunable);
    try {
      const text = (await reader.readText(path))?.trim();
      const isNone = text === undefined || (text === 'member' && !(await isInUse(reader, folderOf(tunable))));
      const value = isNone ? null : text;
      return { status: 'value', value, evidence: `${path}: ${text ?? 'not there'}` };
    } catch (error) {
      return unreadable(error, path);
    }
  },
  canonical: (_tunable, value) => value.trim(),
  // An undo that was cut off between the partition and its threads, or somebody's own write of `member`.
  isHalfBack: (found) => found === 'member',
  isFailure: (found) => found.includes(' invalid'),
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      const folder = folderOf(tunable);
      const bound = await findBound(host);
      const inside = await findInside(host, folder);
      if (value !== null) await prepare(host, tunable);
      await host.writeText(pathOf(tunable), value ?? 'member');
      if (value === null) await releaseInside(host, folder);
      await bindAgain(host, bound);
      await bindInside(host, inside);
    }
  },
};

/**
 * So that single threads of a process can be in it, while the others are in the root cgroup, its domain. Only an empty cgroup can become
 * threaded, and none becomes anything else again: it goes with its slice. https://docs.kernel.org/admin-guide/cgroup-v2.html#threads
 */
async function makeThreaded(host: Host, folder: string): Promise<void> {
  const type = (await host.readText(`${folder}/cgroup.type`))?.trim();
  if (type !== undefined && type !== 'threaded') await host.writeText(`${folder}/cgroup.type`, 'threaded');
}

/** One that became invalid stays so, whatever is written but `member` (update_prstate, kernel/cgroup/cpuset.c). */
async function prepare(host: Host, tunable: CpusetPartitionTunable): Promise<void> {
  const path = pathOf(tunable);
  if (((await host.readText(path)) ?? '').includes(' invalid')) await host.writeText(path, 'member');
  await makeThreaded(host, folderOf(tunable));
}

/**
 * Making or taking away a partition, the kernel gives every thread of the root cgroup all CPUs that are left
 * (update_tasks_cpumask, kernel/cgroup/cpuset.c), also those that somebody had bound, as it had itself bound kswapd and
 * kcompactd to their NUMA node. These are the kernel threads that may not run everywhere before the write.
 */
async function findBound(host: HostReader): Promise<readonly MovableThread[]> {
  const effective = await host.readText('/sys/fs/cgroup/cpuset.cpus.effective');
  const left = parseCpulist(effective ?? (await host.readText('/sys/devices/system/cpu/online')) ?? '');
  return (await observeThreads(host)).filter(({ allowed }) => !isSubset(left, allowed));
}

/** As far as their CPUs are left: one whose CPUs are all in the partition stays where the kernel put it. */
async function bindAgain(host: Host, bound: readonly MovableThread[]): Promise<void> {
  const now = new Map((await observeThreads(host)).map((thread) => [thread.pid, thread]));
  for (const { pid, startTicks, allowed } of bound) {
    const thread = now.get(pid);
    if (thread?.startTicks !== startTicks || printCpulist(thread.allowed) === printCpulist(allowed)) continue;
    try {
      await setAffinity(host, pid, printCpulist(allowed));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
  }
}

function folderOf({ unit }: CpusetPartitionTunable): string {
  return `/sys/fs/cgroup/${unit}`;
}

function pathOf(tunable: CpusetPartitionTunable): string {
  return `${folderOf(tunable)}/cpuset.cpus.partition`;
}
