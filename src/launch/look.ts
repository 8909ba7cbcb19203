import type { HostReader } from '../host/host.ts';
import { intersection } from '../topology/cpulist.ts';
import {
  type InterruptCounts,
  parseInterruptCounts,
  parseMigrations,
  parseNumaMaps,
  parseTaskStat,
  parseTaskStatus,
  type TaskStat,
  type TaskStatus,
} from './task-text.ts';

/** One thread at one moment. */
export interface TaskLook extends TaskStat {
  readonly pid: number;
  readonly tid: number;
  /** undefined: it could not be read. */
  readonly status: TaskStatus | undefined;
  readonly migrations: number | undefined;
}

export interface ProcessLook {
  readonly pid: number;
  /** In the order of their start. Empty: it has ended. */
  readonly threads: readonly TaskLook[];
  /** Bytes by NUMA node; undefined: it could not be read, or this kernel has none. */
  readonly nodes: ReadonlyMap<number, number> | undefined;
}

/** All that is seen of launched processes, and of others on their CPUs, at one moment. */
export interface Look {
  readonly atMs: number;
  readonly processes: readonly ProcessLook[];
  /** Threads of others that may run on watched CPUs, or did. */
  readonly others: readonly TaskLook[];
  /** How many other threads were looked at. */
  readonly otherCount: number;
  readonly interrupts: ReadonlyMap<number, InterruptCounts>;
}

export interface LookRequest {
  readonly atMs: number;
  readonly pids: readonly number[];
  /** CPUs that processes have to themselves. */
  readonly exclusive: readonly number[];
  /** NUMA nodes of pages too, for which the kernel walks all of the memory of a process. */
  readonly withNodes: boolean;
}

/** Reads; changes nothing. A thread that ends meanwhile is left out. */
export async function takeLook(reader: HostReader, request: LookRequest): Promise<Look> {
  const { pids, exclusive } = request;
  const processes: ProcessLook[] = [];
  for (const pid of pids) {
    const threads = await readTasks(reader, pid, isWhole);
    const maps = request.withNodes ? await readOrNothing(reader, `/proc/${pid}/numa_maps`) : undefined;
    processes.push({ pid, threads, nodes: maps === undefined ? undefined : parseNumaMaps(maps) });
  }
  const others: TaskLook[] = [];
  let otherCount = 0;
  const names = exclusive.length === 0 ? [] : ((await reader.list('/proc')) ?? []);
  for (const name of names) {
    if (!/^\d+$/.test(name) || pids.includes(Number(name))) continue;
    const tasks = await readTasks(reader, Number(name), isOfOthers);
    otherCount += tasks.length;
    others.push(...tasks.filter((task) => touches(task, exclusive)));
  }
  const interrupts = parseInterruptCounts((await readOrNothing(reader, '/proc/interrupts')) ?? '');
  return { atMs: request.atMs, processes, others, otherCount, interrupts };
}

interface Depth {
  readonly withMigrations: boolean;
}
const isWhole: Depth = { withMigrations: true };
const isOfOthers: Depth = { withMigrations: false };

async function readTasks(reader: HostReader, pid: number, { withMigrations }: Depth): Promise<TaskLook[]> {
  const tids = ((await listOrNothing(reader, `/proc/${pid}/task`)) ?? []).map(Number);
  const tasks: TaskLook[] = [];
  for (const tid of tids) {
    const folder = `/proc/${pid}/task/${tid}`;
    const stat = parseTaskStat((await readOrNothing(reader, `${folder}/stat`)) ?? '');
    if (stat === undefined || (stat.isKernel && stat.isBound)) continue;
    const status = parseTaskStatus((await readOrNothing(reader, `${folder}/status`)) ?? '');
    const sched = withMigrations ? await readOrNothing(reader, `${folder}/sched`) : undefined;
    tasks.push({ ...stat, pid, tid, status, migrations: parseMigrations(sched ?? '') });
  }
  return tasks.sort((left, right) => Number(left.startTicks) - Number(right.startTicks) || left.tid - right.tid);
}

function touches({ cpu, status }: TaskLook, exclusive: readonly number[]): boolean {
  return exclusive.includes(cpu) || intersection(status?.allowed ?? [], exclusive).length > 0;
}

/** Threads end at any time, and of some files only the owner may read more. */
async function readOrNothing(reader: HostReader, path: string): Promise<string | undefined> {
  return unlessRefused(() => reader.readText(path));
}

async function listOrNothing(reader: HostReader, path: string): Promise<readonly string[] | undefined> {
  return unlessRefused(() => reader.list(path));
}

const REFUSED: ReadonlySet<string> = new Set(['ESRCH', 'ENOENT', 'EACCES', 'EPERM']);

async function unlessRefused<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (REFUSED.has((error as { code?: string }).code ?? '')) return undefined;
    throw error;
  }
}
