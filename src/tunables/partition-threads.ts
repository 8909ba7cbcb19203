import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { type CpuSet, parseCpulist, printCpulist } from '../topology/cpulist.ts';
import { setAffinity } from './thread-affinity.ts';

/** A thread of a process that has threads in a partition, and where it may run. */
export interface BoundThread {
  readonly tid: number;
  readonly allowed: CpuSet;
}

/**
 * The threads of a partition, and all others of their processes, which are in the cgroup above it: both lose their CPUs with the partition
 * (before Linux 6.2; later kernels keep what sched_setaffinity(2) asked for). `folder`: the cgroup of the partition.
 */
export async function findInside(host: HostReader, folder: string): Promise<readonly BoundThread[]> {
  if ((await host.readText(`${folder}/cgroup.type`))?.trim() !== 'threaded') return [];
  const leaders = new Set<string>();
  for (const tid of await readIds(host, folder)) {
    const leader = /^Tgid:\s*(\d+)$/m.exec((await readLiving(host, `/proc/${tid}/status`)) ?? '')?.[1];
    if (leader !== undefined) leaders.add(leader);
  }
  const found: BoundThread[] = [];
  for (const leader of leaders)
    for (const tid of (await listLiving(host, `/proc/${leader}/task`)) ?? []) {
      const status = (await readLiving(host, `/proc/${leader}/task/${tid}/status`)) ?? '';
      const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
      if (allowed !== undefined) found.push({ tid: Number(tid), allowed: parseCpulist(allowed) });
    }
  return found;
}

/** Whether there are threads that only a partition can have. */
export async function isInUse(reader: HostReader, folder: string): Promise<boolean> {
  if ((await reader.readText(`${folder}/cgroup.type`))?.trim() !== 'threaded') return false;
  return (await readIds(reader, folder)).length > 0;
}

/** Out of the partition, which can go then: what runs there goes on, in the cgroup above it. */
export async function releaseInside(host: Host, folder: string): Promise<void> {
  if ((await host.readText(`${folder}/cgroup.type`))?.trim() !== 'threaded') return;
  const above = `${folder.slice(0, folder.lastIndexOf('/'))}/cgroup.threads`;
  for (const tid of await readIds(host, folder)) await unlessEnded(() => host.writeText(above, tid));
}

/** On the CPUs that each had, as far as they can be had. */
export async function bindInside(host: Host, threads: readonly BoundThread[]): Promise<void> {
  for (const { tid, allowed } of threads) {
    try {
      await setAffinity(host, tid, printCpulist(allowed));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
  }
}

async function readIds(host: HostReader, folder: string): Promise<readonly string[]> {
  return ((await host.readText(`${folder}/cgroup.threads`)) ?? '').split('\n').filter((line) => line !== '');
}

function readLiving(host: HostReader, path: string): Promise<string | undefined> {
  return unlessEnded(() => host.readText(path));
}

function listLiving(host: HostReader, path: string): Promise<readonly string[] | undefined> {
  return unlessEnded(() => host.list(path));
}

/** A thread can end at any time. */
async function unlessEnded<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof HostError && (error.code === 'ESRCH' || error.code === 'ENOENT')) return undefined;
    throw error;
  }
}
