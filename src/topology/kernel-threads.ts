import { HostError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { type CpuSet, parseCpulist } from './cpulist.ts';

/** include/linux/sched.h: the task is a kernel thread; user space may not change its CPUs. */
const PF_KTHREAD = 0x00200000;
const PF_NO_SETAFFINITY = 0x04000000;

/** A kernel thread whose CPUs may be chosen. */
export interface MovableThread {
  readonly pid: number;
  readonly name: string;
  readonly startTicks: number;
  readonly allowed: CpuSet;
}

/**
 * The kernel threads that can be moved. Per-CPU ones (ksoftirqd/3, kworker/3:1) carry PF_NO_SETAFFINITY and stay where
 * they are. Threads of interrupts (irq/…) and of NAPI (napi/…) follow the interrupt and NIC settings.
 */
export async function observeThreads(host: HostReader): Promise<readonly MovableThread[]> {
  const pids = ((await host.list('/proc')) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
  const threads = await Promise.all(pids.map((pid) => readThread(host, pid)));
  return threads.filter((thread) => thread !== undefined).sort((left, right) => left.pid - right.pid);
}

async function readThread(host: HostReader, pid: number): Promise<MovableThread | undefined> {
  const stat = parseStat((await readLiving(host, `/proc/${pid}/stat`)) ?? '');
  if (stat === undefined || !isMovable(stat)) return undefined;
  const status = (await readLiving(host, `/proc/${pid}/status`)) ?? '';
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  if (allowed === undefined) return undefined;
  return { pid, name: stat.name, startTicks: stat.startTicks, allowed: parseCpulist(allowed) };
}

interface Stat {
  readonly name: string;
  readonly flags: number;
  readonly startTicks: number;
}

/** /proc/PID/stat: the name is in brackets and may hold any character. Fields 9 and 22 of proc(5). */
export function parseStat(text: string): Stat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  return { name: text.slice(open + 1, close), flags: Number(fields[6]), startTicks: Number(fields[19]) };
}

function isMovable({ name, flags }: Stat): boolean {
  if ((flags & PF_KTHREAD) === 0 || (flags & PF_NO_SETAFFINITY) !== 0) return false;
  return !/^(?:irq|napi)\//.test(name);
}

/** A thread can end at any time: then its file is gone (ENOENT) or empty of a process (ESRCH). */
async function readLiving(host: HostReader, path: string): Promise<string | undefined> {
  try {
    return await host.readText(path);
  } catch (error) {
    if (error instanceof HostError && (error.code === 'ESRCH' || error.code === 'ENOENT')) return undefined;
    throw error;
  }
}

/** Names that tell threads of the same name apart, by pid: `#2` for the second one. */
export function nameThreads(threads: readonly MovableThread[]): readonly MovableThread[] {
  const seen = new Map<string, number>();
  return threads.map((thread) => {
    const nth = (seen.get(thread.name) ?? 0) + 1;
    seen.set(thread.name, nth);
    return nth === 1 ? thread : { ...thread, name: `${thread.name}#${nth}` };
  });
}
