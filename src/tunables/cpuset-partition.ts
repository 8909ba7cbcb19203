import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { isSubset, parseCpulist, printCpulist } from '../topology/cpulist.ts';
import { type MovableThread, observeThreads } from '../topology/kernel-threads.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import { setAffinity } from './thread-affinity.ts';
import type { CpusetPartitionTunable } from './tunable.ts';

/**
 * The partition state of a slice: `isolated`, `root`, or what the kernel says of an invalid one. `member` and a slice that
 * is not there are null. A write of `isolated` succeeds and can still leave it invalid: the reading decides.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset-interface-files
 */
export const cpusetPartitionKind: TunableKind<CpusetPartitionTunable> = {
  persistent: false,
  async read(reader, tunable) {
    const path = pathOf(tunable);
    try {
      const text = (await reader.readText(path))?.trim();
      const value = text === undefined || text === 'member' ? null : text;
      return { status: 'value', value, evidence: `${path}: ${text ?? 'not there'}` };
    } catch (error) {
      return unreadable(error, path);
    }
  },
  canonical: (_tunable, value) => value.trim(),
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      const bound = await findBound(host);
      await host.writeText(pathOf(tunable), value ?? 'member');
      await bindAgain(host, bound);
    }
  },
};

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

function pathOf({ unit }: CpusetPartitionTunable): string {
  return `/sys/fs/cgroup/${unit}/cpuset.cpus.partition`;
}
