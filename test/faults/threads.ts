import type { FakeHost } from '../fake-host.ts';

/** A thread of a machine in memory. */
export interface FakeThread {
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
  startTicks: number;
  allowed: string;
  policy: 'other' | 'batch' | 'fifo';
  priority: number;
  nice: number;
  resets: boolean;
}

const NUMBERS = { other: 0, fifo: 1, batch: 3 } as const;

/** Threads in /proc of a machine in memory, and taskset, chrt and renice for the given CPU sets and schedulings. */
export function addThreads(host: FakeHost, threads: readonly FakeThread[], sets: readonly string[]): void {
  for (const thread of threads) {
    showThread(host, thread);
    const change = (values: Partial<FakeThread>) => () => {
      Object.assign(thread, values);
      if (host.files.has(`/proc/${thread.tid}/stat`)) showThread(host, thread);
      return '';
    };
    const tid = String(thread.tid);
    for (const set of sets) host.commands.set(`taskset -p -c ${set} ${tid}`, change({ allowed: set }));
    for (const policy of ['other', 'batch'] as const)
      host.commands.set(`chrt --${policy} --pid 0 ${tid}`, change({ policy, priority: 0, resets: false }));
    for (const priority of [10, 48]) {
      const set = { policy: 'fifo', priority } as const;
      host.commands.set(`chrt --fifo --pid ${priority} ${tid}`, change({ ...set, resets: false }));
      host.commands.set(`chrt --reset-on-fork --fifo --pid ${priority} ${tid}`, change({ ...set, resets: true }));
    }
    for (const nice of [-5, 0, 3]) host.commands.set(`renice -n ${nice} -p ${tid}`, change({ nice }));
    const flags = () => `SCHED_FIFO${thread.resets ? '|SCHED_RESET_ON_FORK' : ''}`;
    host.commands.set(`chrt -p ${tid}`, () => `pid ${tid}'s current scheduling policy: ${flags()}\n`);
  }
}

/** It has ended, and its number is free. */
export function endThread(host: FakeHost, { pid, tid }: FakeThread): void {
  for (const path of foldersOf(pid, tid)) for (const name of ['stat', 'status']) host.files.delete(`${path}/${name}`);
}

/** All that an undo has to bring back. */
export function scheduleOf({ allowed, policy, priority, nice, resets }: FakeThread): string {
  return [allowed, policy, priority, nice, resets].join(' ');
}

function showThread(host: FakeHost, thread: FakeThread): void {
  const { pid, tid, name, startTicks, allowed, policy, priority, nice } = thread;
  const fields: Record<number, number | string> = {
    3: 'S',
    19: nice,
    22: startTicks,
    40: priority,
    41: NUMBERS[policy],
  };
  const values = Array.from({ length: 50 }, (_, index) => String(fields[index + 3] ?? 0));
  for (const path of foldersOf(pid, tid)) {
    host.files.set(`${path}/stat`, `${tid} (${name}) ${values.join(' ')}\n`);
    host.files.set(`${path}/status`, `Name:\t${name}\nTgid:\t${pid}\nVmRSS:\t 10 kB\nCpus_allowed_list:\t${allowed}\n`);
  }
}

function foldersOf(pid: number, tid: number): readonly string[] {
  return [`/proc/${tid}`, `/proc/${pid}/task/${tid}`];
}
