import { placeOf } from '../profile/load.ts';
import { findNearest } from '../profile/nearest.ts';
import type { Problem } from '../profile/problem.ts';
import { checkBypass } from './bypass.ts';
import type { Deployment } from './deployment.ts';
import type { ProcessWanted, ThreadWanted } from './schema.ts';
import { findCircle } from './start-order.ts';
import { parseThreadKey } from './thread-key.ts';

/** sched(7): SCHED_DEADLINE takes runtimes of 1024 ns and more, and periods below 2^63 ns; sysctls bound periods to 4 s. */
const LEAST_RUNTIME_NS = 1024;

/** What cannot be right on any host: keys that contradict each other, names of processes that are not there. Pure. */
export function findContradictions(deployment: Deployment): Problem[] {
  const known = Object.keys(deployment.processes);
  const processes = Object.entries(deployment.processes).flatMap(([name, process]) => {
    const report = reporter(deployment, ['processes', name]);
    return [
      ...checkDependencies(name, process, { known, report }),
      ...Object.entries(process.threads).flatMap(([key, thread]) => checkThread(key, { process, thread, report })),
      ...checkOwnCpus(process, report),
      ...checkLimits(process, report),
      ...checkBypass(process, report),
    ];
  });
  return [...processes, ...checkCircle(deployment)];
}

export type Report = (path: readonly string[], message: string, hint?: string) => Problem;

/** Makes problems of a process: with the key in front, at its place. */
export function reporter(deployment: Deployment, base: readonly string[]): Report {
  return (path, message, hint) => ({
    place: placeOf(deployment, [...base, ...path]),
    message: `${[...base, ...path].join('.')}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  });
}

function checkDependencies(
  name: string,
  process: ProcessWanted,
  { known, report }: { readonly known: readonly string[]; readonly report: Report },
): Problem[] {
  return (['requires', 'after'] as const).flatMap((key) =>
    process[key].flatMap((other, index) => {
      if (other === name) return [report([key, String(index)], 'a process cannot wait for itself')];
      if (known.includes(other)) return [];
      const nearest = findNearest(other, known);
      const hint = nearest === undefined ? `Processes: ${known.join(', ')}.` : `Did you mean ${nearest}?`;
      return [report([key, String(index)], `there is no process ${other}`, hint)];
    }),
  );
}

interface ThreadContext {
  readonly process: ProcessWanted;
  readonly thread: ThreadWanted;
  readonly report: Report;
}

function checkThread(key: string, { process, thread, report }: ThreadContext): Problem[] {
  const at = (path: readonly string[], message: string, hint?: string) =>
    report(['threads', key, ...path], message, hint);
  const isRealtime = thread.policy !== 'other' && thread.policy !== 'batch';
  const isRest = parseThreadKey(key).kind === 'rest';
  const found: (Problem | undefined)[] = [
    isRest && isRealtime
      ? at(
          ['policy'],
          `"*" is every thread that is not named: ${thread.policy} for all of them lets one that spins keep main() and the logger from ever running`,
          'Give the policy to the hot threads by name.',
        )
      : undefined,
    isRest && thread.cpus === 'own'
      ? at(
          ['cpus'],
          'own is one CPU for one thread, and "*" is any number of them',
          'Write a CPU set such as housekeeping.',
        )
      : undefined,
    isRest && thread.count > 1 ? at(['count'], '"*" is any number of threads', 'Remove it.') : undefined,
    thread.count > 1 && parseThreadKey(key).kind === 'order'
      ? at(['count'], `${key} is one thread`, 'Remove it, or name the others: "#1", "#2".')
      : undefined,
    ...checkPolicy(thread, at),
    ...checkUser(process, thread, at),
  ];
  return found.filter((problem) => problem !== undefined);
}

function checkPolicy(thread: ThreadWanted, at: Report): (Problem | undefined)[] {
  const { policy, priority, nice } = thread;
  const hasPriority = policy === 'fifo' || policy === 'rr';
  const times = ['runtime', 'deadline', 'period'] as const;
  const extra = policy === 'deadline' ? [] : times.filter((time) => thread[time] !== undefined);
  return [
    hasPriority && priority === undefined
      ? at(
          ['policy'],
          `${policy} needs a priority`,
          'Add priority: 1 to 98; up to 49 is below the threads of interrupts.',
        )
      : undefined,
    !hasPriority && priority !== undefined
      ? at(['priority'], `${policy} has no priority`, 'Remove it, or write policy: fifo.')
      : undefined,
    nice !== undefined && policy !== 'other' && policy !== 'batch'
      ? at(['nice'], `${policy} has no nice value`, 'Remove it.')
      : undefined,
    ...extra.map((time) => at([time], `${policy} has no ${time}`, 'Remove it, or write policy: deadline.')),
    policy === 'deadline' ? checkTimes(thread, at) : undefined,
  ];
}

function checkTimes({ runtime, deadline, period }: ThreadWanted, at: Report): Problem | undefined {
  if (runtime === undefined || deadline === undefined || period === undefined)
    return at(
      ['policy'],
      'deadline needs its three times',
      'Add runtime, deadline and period, such as 50us, 200us, 1ms.',
    );
  if (runtime < LEAST_RUNTIME_NS) return at(['runtime'], `the kernel takes ${LEAST_RUNTIME_NS} ns and more`);
  if (runtime > deadline || deadline > period)
    return at(
      [runtime > deadline ? 'runtime' : 'deadline'],
      'expected runtime <= deadline <= period',
      'A thread cannot run for longer than the time in which it is to be done.',
    );
  return undefined;
}

/** The kernel lets a user without privileges up to RLIMIT_RTPRIO, and no further; deadline not at all. sched(7). */
function checkUser(
  { user, limits }: ProcessWanted,
  { policy, priority }: ThreadWanted,
  at: Report,
): (Problem | undefined)[] {
  if (isPrivileged(user) || priority === undefined || (policy !== 'fifo' && policy !== 'rr')) return [];
  const limit = limits.rtprio ?? 0;
  if (limit >= priority) return [];
  const has = limits.rtprio === undefined ? 'no limit' : `the limit ${limit}`;
  return [
    at(
      ['priority'],
      `${policy} ${priority} is not for ${user}, who has ${has} for realtime priorities here`,
      `Add limits: { rtprio: ${priority} } to the process: without it the kernel refuses what the program or hft as ${user} asks for.`,
    ),
  ];
}

export function isPrivileged(user: string | undefined): boolean {
  return user === undefined || user === 'root';
}

function checkOwnCpus(process: ProcessWanted, report: Report): Problem[] {
  const { cpus } = process;
  if (cpus === undefined || typeof cpus === 'string') return [];
  if (Array.isArray(cpus)) {
    const twice = cpus.find((cpu, index) => cpus.indexOf(cpu) !== index);
    return twice === undefined ? [] : [report(['cpus'], `CPU ${twice} is there twice`, 'Remove one of the two.')];
  }
  return checkOwnThreads(process, cpus.count ?? cpus.cores ?? 0, report);
}

/** Whether the threads of a process fit the CPUs that it has to itself. */
export function checkOwnThreads(process: ProcessWanted, cpus: number, report: Report): Problem[] {
  if (Object.keys(process.threads).length === 0 && cpus > 1) {
    return [
      report(
        ['cpus'],
        `${cpus} CPUs of its own, and nothing says which threads run there`,
        'Name them: threads: { rx: own, decode: own, "*": housekeeping }. Threads do not spread over isolated CPUs by themselves.',
      ),
    ];
  }
  const wanted = countOwnThreads(process);
  if (wanted <= cpus) return [];
  return [
    report(
      ['cpus'],
      `${wanted} threads need a CPU of their own, and there ${cpus === 1 ? 'is 1' : `are ${cpus}`}`,
      'On an isolated CPU nothing moves a second thread away: ask for more CPUs, or put threads on housekeeping.',
    ),
  ];
}

/** The threads that say `own`, or say nothing of CPUs in a process that has some. */
function countOwnThreads({ threads }: ProcessWanted): number {
  return Object.entries(threads)
    .filter(([key, thread]) => parseThreadKey(key).kind !== 'rest' && (thread.cpus ?? 'own') === 'own')
    .reduce((sum, [, thread]) => sum + thread.count, 0);
}

function checkLimits({ memory, limits, user }: ProcessWanted, report: Report): Problem[] {
  if (!memory.lock || isPrivileged(user) || limits.memlock === undefined || limits.memlock === 'unlimited') return [];
  return [
    report(
      ['limits', 'memlock'],
      `memory.lock is on, and ${user} may lock ${limits.memlock} bytes: mlockall fails once the process is larger`,
      'Write unlimited, or leave it out: with memory.lock it is unlimited.',
    ),
  ];
}

function checkCircle(deployment: Deployment): Problem[] {
  const circle = findCircle(deployment.processes);
  const [first] = circle;
  if (first === undefined) return [];
  const report = reporter(deployment, ['processes', first]);
  const key = deployment.processes[first]?.requires.includes(circle[1] ?? first) ? 'requires' : 'after';
  return [
    report([key], `these processes wait for each other: ${[...circle, first].join(' -> ')}`, 'Remove one of them.'),
  ];
}
