import { nameCpus } from '../layout/names.ts';
import { isSubset, printCpulist } from '../topology/cpulist.ts';
import type { Seen } from './judge.ts';
import type { Judged } from './judged.ts';
import type { Look, TaskLook } from './look.ts';
import { TICKS_PER_S } from './task-text.ts';

export type StrangerSite = Pick<Seen, 'looks' | 'cpus' | 'uptimeS'>;

/** Who else is on CPUs that processes have to themselves: who, since when. And which of these CPUs is not isolated at all. */
export function judgeStrangers(site: StrangerSite): Judged[] {
  return site.cpus.exclusive.flatMap((cpu) => [judgeCpu(cpu, site), ...judgeIsolation(cpu, site)]);
}

function judgeCpu(cpu: number, site: StrangerSite): Judged {
  const { looks } = site;
  const found = new Map<number, { readonly task: TaskLook; readonly sinceMs: number }>();
  for (const [index, { others, atMs }] of looks.entries())
    for (const task of others)
      if (!found.has(task.tid) && isStranger(task, cpu, { ...site, before: looks[index - 1] }))
        found.set(task.tid, { task, sinceMs: atMs });
  const base = { id: `processes.strangers@cpu${cpu}`, domain: 'CPUs', expected: 'nobody else' };
  const last = looks.at(-1);
  if (found.size === 0)
    return {
      ...base,
      status: 'pass',
      actual: 'nobody else',
      evidence: `of ${last?.otherCount ?? 0} other threads in ${looks.length} looks`,
    };
  const firstMs = looks[0]?.atMs ?? 0;
  const processes = groupByProcess([...found.values()]);
  const said = processes.slice(0, MOST_NAMED).map((tasks) => sayProcess(tasks, { firstMs, uptimeS: site.uptimeS }));
  const more = processes.length > MOST_NAMED ? [`and ${processes.length - MOST_NAMED} more processes`] : [];
  const names = processes.slice(0, MOST_NAMED).map(([first]) => first?.task.name ?? '');
  return { ...base, status: 'fail', actual: [...names, ...more].join(', '), evidence: [...said, ...more].join('; ') };
}

/** The first ones tell what is going on. */
const MOST_NAMED = 5;

interface Found {
  readonly task: TaskLook;
  readonly sinceMs: number;
}

function groupByProcess(found: readonly Found[]): Found[][] {
  const groups = new Map<number, Found[]>();
  for (const each of found) groups.set(each.task.pid, [...(groups.get(each.task.pid) ?? []), each]);
  return [...groups.values()];
}

function sayProcess(
  tasks: readonly Found[],
  { firstMs, uptimeS }: { readonly firstMs: number; readonly uptimeS: number },
): string {
  const { task, sinceMs } = tasks[0] as Found;
  const startedS = uptimeS - Number(task.startTicks) / TICKS_PER_S;
  const seen =
    sinceMs === firstMs ? 'there at the first look' : `first seen after ${((sinceMs - firstMs) / 1000).toFixed(1)} s`;
  const others = tasks.length === 1 ? '' : `, and ${tasks.length - 1} more of its threads`;
  const where = `allowed on ${printCpulist(task.status?.allowed ?? [])}, last ran on ${task.cpu}`;
  return `${task.name} (${nameIds(task)}${others}), ${where}; ${seen}, started ${startedS.toFixed(1)} s ago`;
}

function nameIds({ pid, tid, isKernel }: TaskLook): string {
  if (isKernel) return `kernel thread ${pid}`;
  return pid === tid ? `process ${pid}` : `thread ${tid} of process ${pid}`;
}

interface Surroundings extends StrangerSite {
  readonly before: Look | undefined;
}

/**
 * Where the kernel isolates a CPU, nobody else should be allowed on it: who is, was put there. Where it does not, everybody is allowed, and
 * only who is allowed nowhere else was put there. A kernel thread is no stranger until it runs there: some cannot be told to stay away, and
 * those that belong to the CPU never are.
 */
function isStranger(task: TaskLook, cpu: number, { cpus, before }: Surroundings): boolean {
  const { isolated, exclusive } = cpus;
  const allowed = task.status?.allowed ?? [];
  if (task.isBound) return false;
  if (task.isKernel) {
    const earlier = before?.others.find(({ tid }) => tid === task.tid);
    return isolated.includes(cpu) && task.cpu === cpu && earlier !== undefined && task.ticks > earlier.ticks;
  }
  if (!allowed.includes(cpu)) return false;
  return isolated.includes(cpu) || isSubset(allowed, exclusive);
}

function judgeIsolation(cpu: number, { cpus: { isolated } }: StrangerSite): Judged[] {
  const base = { id: `processes.isolated@cpu${cpu}`, domain: 'CPUs', expected: 'isolated' };
  if (isolated.includes(cpu))
    return [{ ...base, status: 'pass', actual: 'isolated', evidence: 'by the running kernel' }];
  const evidence = `the running kernel does not isolate ${nameCpus([cpu])}: every thread of the host may run there`;
  return [{ ...base, status: 'fail', actual: 'not isolated', evidence }];
}
