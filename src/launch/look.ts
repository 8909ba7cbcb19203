import type { HostReader } from '../host/host.ts';
import type { BypassLibrary } from './bypass-facts.ts';
import { type BypassLook, lookAtBypass } from './look-bypass.ts';
import { type InterruptsLook, lookAtInterrupts } from './look-interrupts.ts';
import type { LookMemory } from './look-memory.ts';
import { lookAtOthers } from './look-others.ts';
import { listOrNothing, readOrNothing } from './read-or-nothing.ts';
import {
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
  /** Bytes by NUMA node, when they were last looked at; undefined: never, not readable, or this kernel has none. */
  readonly nodes: ReadonlyMap<number, number> | undefined;
  /** Of a process that was to have a library loaded before it. */
  readonly bypass?: BypassLook;
}

/** All that is seen of watched processes, and of others on their CPUs, at one moment. */
export interface Look {
  readonly atMs: number;
  readonly processes: readonly ProcessLook[];
  /** Threads of others that may run on exclusive CPUs, those of the kernel that belong to these CPUs too. */
  readonly others: readonly TaskLook[];
  /** How many other threads there are that could be elsewhere. */
  readonly otherCount: number;
  readonly interrupts: InterruptsLook;
}

export interface LookRequest {
  readonly atMs: number;
  readonly pids: readonly number[];
  /** CPUs that processes have to themselves. */
  readonly exclusive: readonly number[];
  /** CPUs whose interrupts are named: those, and CPUs of single threads. */
  readonly watched: readonly number[];
  /** due: NUMA nodes of pages too, where the last look at them is long enough ago. */
  readonly nodes: 'none' | 'due';
  readonly memory: LookMemory;
  /** Libraries that were to be loaded before processes, by pid. */
  readonly bypass?: ReadonlyMap<number, BypassLibrary>;
  /** Their file descriptors too. */
  readonly isThorough?: boolean;
}

/** Reads; changes nothing. A thread that ends meanwhile is left out. */
export async function takeLook(reader: HostReader, request: LookRequest): Promise<Look> {
  const { pids, watched, atMs } = request;
  const processes: ProcessLook[] = [];
  for (const pid of pids) {
    const threads = await readTasks(reader, pid, request.memory);
    processes.push({
      pid,
      threads,
      nodes: request.nodes === 'due' ? await readNodes(reader, pid, request) : undefined,
      ...(await readBypass(reader, pid, request)),
    });
  }
  const { others, otherCount } = await lookAtOthers(reader, request);
  return { atMs, processes, others, otherCount, interrupts: await lookAtInterrupts(reader, watched, request) };
}

/**
 * The threads of a process in the order of their start; none when it has ended. One of which the kernel says the same as at the last look has
 * not run since, so it was not moved either: that is all that is read of it.
 */
export async function readTasks(reader: HostReader, pid: number, memory?: LookMemory): Promise<TaskLook[]> {
  const tids = ((await listOrNothing(reader, `/proc/${pid}/task`)) ?? []).map(Number);
  const tasks: TaskLook[] = [];
  for (const tid of tids) {
    const folder = `/proc/${pid}/task/${tid}`;
    const statText = (await readOrNothing(reader, `${folder}/stat`)) ?? '';
    const statusText = (await readOrNothing(reader, `${folder}/status`)) ?? '';
    const known = memory?.tasks.get(tid);
    if (known !== undefined && known.statText === statText && known.statusText === statusText) {
      tasks.push(known.task);
      continue;
    }
    const stat = parseTaskStat(statText);
    if (stat === undefined) continue;
    const sched = await readOrNothing(reader, `${folder}/sched`);
    const task = { ...stat, pid, tid, status: parseTaskStatus(statusText), migrations: parseMigrations(sched ?? '') };
    memory?.tasks.set(tid, { statText, statusText, task });
    tasks.push(task);
  }
  return tasks.sort((left, right) => Number(left.startTicks) - Number(right.startTicks) || left.tid - right.tid);
}

async function readBypass(
  reader: HostReader,
  pid: number,
  { atMs, bypass, isThorough = false, memory }: LookRequest,
): Promise<Pick<ProcessLook, 'bypass'>> {
  const library = bypass?.get(pid);
  return library === undefined
    ? {}
    : { bypass: await lookAtBypass(reader, pid, { atMs, library, isThorough, memory }) };
}

/** The kernel walks all of a process's memory for it: a hundredth of the time at most, and once a second. */
const NODES_SHARE = 100;
const NODES_EVERY_MS = 900;

async function readNodes(
  reader: HostReader,
  pid: number,
  { atMs, memory }: LookRequest,
): Promise<ReadonlyMap<number, number> | undefined> {
  const last = memory.nodes.get(pid);
  if (last !== undefined && atMs - last.atMs < Math.max(last.costMs * NODES_SHARE, NODES_EVERY_MS)) return last.nodes;
  const startMs = performance.now();
  const maps = await readOrNothing(reader, `/proc/${pid}/numa_maps`);
  const nodes = maps === undefined ? undefined : parseNumaMaps(maps);
  memory.nodes.set(pid, { atMs, costMs: performance.now() - startMs, nodes });
  return nodes;
}
