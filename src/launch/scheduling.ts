import type { PlacedMachine } from '../layout/layout.ts';
import { nameCpus } from '../layout/names.ts';
import type { Problem } from '../profile/problem.ts';
import { printCpulist, without } from '../topology/cpulist.ts';
import type { LaunchFacts } from './launch-facts.ts';
import type { Note, PlacedThread } from './placement.ts';
import type { ProcessWish } from './wishes.ts';

/** Threads of interrupts run at FIFO 50 on PREEMPT_RT. https://docs.kernel.org/core-api/genericirq.html */
const IRQ_THREAD_PRIORITY = 50;
/** The first kernel with a fair server, which gives other threads 5 % of a CPU whatever FIFO does. */
const FAIR_SERVER_SINCE = [6, 12] as const;

export interface ThreadsOfProcess {
  readonly wish: ProcessWish;
  readonly threads: readonly PlacedThread[];
}

export interface SchedulingSite {
  readonly machine: PlacedMachine;
  readonly facts: LaunchFacts;
  /** Every CPU that some process has to itself. */
  readonly exclusive: ReadonlySet<number>;
}

export interface Judged {
  readonly problems: readonly Problem[];
  readonly notes: readonly Note[];
}

/** What policies and priorities mean where the threads run. */
export function judgeScheduling(processes: readonly ThreadsOfProcess[], site: SchedulingSite): Judged {
  const pairs = processes.flatMap(({ wish, threads }) => threads.map((thread) => ({ wish, thread })));
  return {
    problems: [
      ...pairs.flatMap(({ wish, thread }) => refuseStarving(wish, thread, site)),
      ...refuseLastHousekeeping(pairs, site),
    ],
    notes: [...pairs.flatMap(({ wish, thread }) => noteThread(wish, thread, site)), ...noteThrottling(pairs, site)],
  };
}

type Pair = { readonly wish: ProcessWish; readonly thread: PlacedThread };

function isRealtime({ scheduling }: PlacedThread): boolean {
  return scheduling.policy === 'fifo' || scheduling.policy === 'rr';
}

/** Spins by its own word; on a CPU of its own it may. */
function spinsAmongOthers(wish: ProcessWish, thread: PlacedThread): boolean {
  return !thread.isAlone && wish.wanted.threads[thread.name]?.wait === 'spin';
}

function refuseStarving(wish: ProcessWish, thread: PlacedThread, { machine }: SchedulingSite): Problem[] {
  if (!isRealtime(thread)) return [];
  const cpus = [...new Set(thread.cpus.flat())];
  const ordinary = without(cpus, machine.layout.isolated);
  if (ordinary.length === 0) return [];
  const spins =
    spinsAmongOthers(wish, thread) || (thread.isAlone && wish.wanted.threads[thread.name]?.wait !== 'block');
  if (!spins) return [];
  return [
    wish.report(
      ['threads', thread.name],
      `${thread.scheduling.policy} on ${nameCpus(ordinary)}, which ${ordinary.length === 1 ? 'is' : 'are'} not isolated: a thread that spins there keeps the kernel's own threads from running`,
      'Give it an isolated CPU, policy: other, or write wait: block if it sleeps between messages.',
    ),
  ];
}

/** Somewhere the kernel, the shells and hft itself must run. */
function refuseLastHousekeeping(pairs: readonly Pair[], { machine, exclusive }: SchedulingSite): Problem[] {
  const left = machine.layout.housekeeping.filter((cpu) => !exclusive.has(cpu));
  let room = left.length - 1;
  return pairs.flatMap(({ wish, thread }) => {
    if (!spinsAmongOthers(wish, thread)) return [];
    const count = thread.cpus.length;
    const touches = thread.cpus.flat().some((cpu) => left.includes(cpu));
    if (!touches) return [];
    room -= count;
    if (room >= 0) return [];
    return [
      wish.report(
        ['threads', thread.name],
        `spins on housekeeping (${nameCpus(left)}), and no CPU would be left for the kernel, shells and hft`,
        'Give it an isolated CPU, or write wait: block.',
      ),
    ];
  });
}

function noteThread(wish: ProcessWish, thread: PlacedThread, site: SchedulingSite): Note[] {
  const about = `${wish.name}/${thread.name}`;
  const { policy, priority = 0 } = thread.scheduling;
  const notes: string[] = [];
  if (isRealtime(thread) && priority >= IRQ_THREAD_PRIORITY)
    notes.push(sayHighPriority(policy, priority, site.machine));
  if (isRealtime(thread) && thread.isAlone && isIsolated(thread, site.machine))
    notes.push('Alone on an isolated CPU: policy other is as fast there, and safer.');
  if (policy === 'deadline') notes.push(...noteDeadline(thread, site));
  return notes.map((text) => ({ about, text }));
}

function isIsolated(thread: PlacedThread, { layout }: PlacedMachine): boolean {
  return thread.cpus.flat().every((cpu) => layout.isolated.includes(cpu));
}

function sayHighPriority(policy: string, priority: number, { kernel }: PlacedMachine): string {
  return kernel.realtime
    ? `${policy} ${priority} is above the threads of interrupts (${IRQ_THREAD_PRIORITY} on this PREEMPT_RT kernel): those of its CPU, its NIC's too, wait for it. Right for a pure poller; 49 at most for one that waits for an interrupt.`
    : `${policy} ${priority}: interrupts come first on this kernel whatever the priority, so 50 and more gain nothing on it; on PREEMPT_RT they hold up the threads of interrupts (${IRQ_THREAD_PRIORITY}).`;
}

/** The kernel refuses (EPERM) a deadline thread that may not run on every CPU of its domain. sched-deadline.rst, section 5. */
function noteDeadline(thread: PlacedThread, { machine, facts }: SchedulingSite): string[] {
  const online = machine.topology.cpus.filter((cpu) => cpu.online).length;
  if (facts.rtRuntimeUs === -1 || new Set(thread.cpus.flat()).size >= online) return [];
  const now = facts.rtRuntimeUs === undefined ? 'it is not known here' : `it is ${facts.rtRuntimeUs} here`;
  return [
    `The kernel refuses deadline (EPERM) for a thread that is pinned, unless kernel.sched_rt_runtime_us is -1 (${now}): profile key kernel.realtime.runtime: unlimited. Its admission control is off then.`,
  ];
}

function noteThrottling(pairs: readonly Pair[], { machine, facts }: SchedulingSite): Note[] {
  const realtime = pairs.filter(({ thread }) => isRealtime(thread));
  if (realtime.length === 0 || facts.rtRuntimeUs === undefined || facts.rtRuntimeUs < 0) return [];
  const [major, minor] = machine.kernel.version;
  const hasFairServer =
    major > FAIR_SERVER_SINCE[0] || (major === FAIR_SERVER_SINCE[0] && minor >= FAIR_SERVER_SINCE[1]);
  const too = hasFairServer
    ? ', and kernel.realtime.fairServer: off, without which Linux 6.12 and later do the same'
    : '';
  return [
    {
      about: realtime.map(({ wish, thread }) => `${wish.name}/${thread.name}`).join(', '),
      text: `kernel.sched_rt_runtime_us is ${facts.rtRuntimeUs}: a fifo or rr thread that spins is stopped for the rest of each second. Profile keys kernel.realtime.runtime: unlimited${too}.`,
    },
  ];
}

/** CPUs of two processes on one core disturb each other. */
export function noteSharedCores(
  processes: readonly { readonly name: string; readonly own: readonly number[] }[],
  machine: PlacedMachine,
): Note[] {
  const holder = new Map(processes.flatMap(({ name, own }) => own.map((cpu) => [cpu, name] as const)));
  return [...holder].flatMap(([cpu, name]) => {
    const siblings = machine.topology.cpus.find((each) => each.cpu === cpu)?.siblings ?? [];
    const others = siblings.filter((other) => other > cpu && holder.has(other));
    if (others.length === 0) return [];
    const who = [...new Set(others.map((other) => holder.get(other)))].join(', ');
    const text = `CPU ${cpu} and CPU ${printCpulist(others)} (${who}) are hardware threads of one core: each slows the other. cpus: { cores: N } takes whole cores.`;
    return [{ about: name, text }];
  });
}
