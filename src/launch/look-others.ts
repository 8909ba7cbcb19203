import type { HostReader } from '../host/host.ts';
import { intersection } from '../topology/cpulist.ts';
import type { LookRequest, TaskLook } from './look.ts';
import { listOrNothing, readOrNothing } from './read-or-nothing.ts';
import { parseTaskStat, parseTaskStatus, type TaskStatus } from './task-text.ts';

export interface OthersLook {
  readonly others: readonly TaskLook[];
  readonly otherCount: number;
}

/** A thread that the kernel bound to another CPU stays there; its number can go to somebody else. */
const BOUND_FOR_MS = 1_500;

/**
 * Threads that are not of the watched processes and may run on CPUs that those have to themselves. Most may not, and of these one file is
 * read; of threads that the kernel bound elsewhere none for most looks.
 */
export async function lookAtOthers(reader: HostReader, request: LookRequest): Promise<OthersLook> {
  const { exclusive, pids, atMs, memory } = request;
  if (exclusive.length === 0) return { others: [], otherCount: 0 };
  const others: TaskLook[] = [];
  let otherCount = 0;
  for (const name of (await reader.list('/proc')) ?? []) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pids.includes(pid)) continue;
    const seenMs = memory.bound.get(pid);
    if (seenMs !== undefined && atMs - seenMs < BOUND_FOR_MS) continue;
    memory.bound.delete(pid);
    for (const tid of (await listOrNothing(reader, `/proc/${pid}/task`)) ?? []) {
      const other = await readOther(reader, { pid, tid: Number(tid) }, request);
      if (other === 'bound') memory.bound.set(pid, atMs);
      else if (other !== 'gone') otherCount++;
      if (typeof other === 'object') others.push(other);
    }
  }
  return { others, otherCount };
}

/** elsewhere: it may not run there. bound: nor may anybody change that. */
async function readOther(
  reader: HostReader,
  { pid, tid }: { readonly pid: number; readonly tid: number },
  { exclusive }: LookRequest,
): Promise<TaskLook | 'elsewhere' | 'bound' | 'gone'> {
  const folder = `/proc/${pid}/task/${tid}`;
  const text = await readOrNothing(reader, `${folder}/status`);
  const status = parseTaskStatus(text ?? '');
  const isNear = status !== undefined && intersection(status.allowed, exclusive).length > 0;
  if (!isNear && !mayBeKernel(status)) return status === undefined ? 'gone' : 'elsewhere';
  const stat = parseTaskStat((await readOrNothing(reader, `${folder}/stat`)) ?? '');
  if (stat === undefined) return 'gone';
  if (isNear) return { ...stat, pid, tid, status, migrations: undefined };
  return stat.isKernel && stat.isBound ? 'bound' : 'elsewhere';
}

/** Those have no memory of their own. */
function mayBeKernel(status: TaskStatus | undefined): boolean {
  return status?.residentBytes === undefined;
}
