import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import type { PlacedMachine } from '../../layout/layout.ts';
import { type CpuSet, intersection, isSubset, parseCpulist, printCpulist } from '../../topology/cpulist.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';

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

/**
 * Takes the wanted CPUs away from nobody: a thread keeps what it may use of them, and one that is bound to other CPUs
 * altogether was put there by its driver and is reported. Ids are by name, `#2` for the second of the same name.
 */
export function desireThreads(threads: readonly MovableThread[], cpus: CpuSet, machine: PlacedMachine): Desired {
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  const seen = new Map<string, number>();
  for (const thread of threads) {
    const nth = (seen.get(thread.name) ?? 0) + 1;
    seen.set(thread.name, nth);
    const id = `kernel.thread@${thread.name}${nth === 1 ? '' : `#${nth}`}`;
    const wanted = cpusFor(thread, cpus, machine);
    if (wanted === undefined) {
      const reason = `${thread.name} is bound to CPU ${printCpulist(thread.allowed)} by its driver; moving it could break that.`;
      refused.push({ id, kind: 'refused', reason });
      continue;
    }
    settings.push({
      id,
      stage: 'values',
      tunable: { kind: 'thread-affinity', pid: thread.pid, startTicks: thread.startTicks },
      value: printCpulist(wanted),
      why: 'This kernel thread can run anywhere and so may run on a CPU that trades.',
      ifRefused: 'skip',
      disruption: 'none',
    });
  }
  return { settings, refused };
}

function cpusFor(thread: MovableThread, cpus: CpuSet, machine: PlacedMachine): CpuSet | undefined {
  if (isSubset(thread.allowed, cpus)) return thread.allowed;
  const node = /^(?:kswapd|kcompactd)(\d+)$/.exec(thread.name)?.[1];
  const home = machine.topology.nodes.find(({ node: number }) => number === Number(node ?? -1))?.cpus;
  const local = home === undefined ? [] : intersection(home, cpus);
  if (local.length > 0) return local;
  if (home !== undefined) return cpus;
  const kept = intersection(thread.allowed, cpus);
  return kept.length > 0 ? kept : undefined;
}
