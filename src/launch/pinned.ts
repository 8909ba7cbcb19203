import type { HostReader } from '../host/host.ts';
import { isSubset } from '../topology/cpulist.ts';
import { listOrNothing, readOrNothing } from './read-or-nothing.ts';
import { parseTaskStatus } from './task-text.ts';

/** A thread of a program that somebody put on certain CPUs. */
export interface PinnedThread {
  readonly pid: number;
  readonly tid: number;
  /** As in comm: at most 15 characters. */
  readonly name: string;
  readonly allowed: readonly number[];
}

/**
 * Threads of programs that may run on some of these CPUs and nowhere else. Who may run wherever the asker may is not pinned: in a
 * container everybody is confined to its CPUs. Threads of the kernel are left out. sched_setaffinity(2), proc_pid_status(5).
 */
export async function findPinned(reader: HostReader, cpus: readonly number[]): Promise<readonly PinnedThread[]> {
  const own = parseTaskStatus((await readOrNothing(reader, '/proc/self/status')) ?? '')?.allowed ?? [];
  const pinned: PinnedThread[] = [];
  for (const pid of (await listOrNothing(reader, '/proc')) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    for (const tid of (await listOrNothing(reader, `/proc/${pid}/task`)) ?? []) {
      const text = (await readOrNothing(reader, `/proc/${pid}/task/${tid}/status`)) ?? '';
      const status = parseTaskStatus(text);
      // A thread of the kernel has no memory, and a process that has ended none any more.
      if (status?.residentBytes === undefined || !isSubset(status.allowed, cpus)) continue;
      if (own.length > 0 && isSubset(own, status.allowed)) continue;
      const name = /^Name:\t(?<name>.*)$/m.exec(text)?.groups?.name ?? '?';
      pinned.push({ pid: Number(pid), tid: Number(tid), name, allowed: status.allowed });
    }
  }
  return pinned;
}
