import type { Look, ProcessLook, TaskLook } from './look.ts';
import type { PlacedProcess } from './placement.ts';

/** The five answers of every verification of hft. */
export type Answer = 'pass' | 'fail' | 'unsupported' | 'unknown';

/** One thing that was judged. */
export interface Judged {
  /** `processes.cpus@market-data/md-rx`: stable across restarts. */
  readonly id: string;
  /** Of which process, or `CPUs`: what the passed ones are counted by. */
  readonly domain: string;
  readonly status: Answer;
  readonly expected: string | null;
  readonly actual: string | null;
  readonly evidence: string;
}

/** One process in all looks. */
export interface Watched {
  readonly placed: PlacedProcess;
  readonly pid: number;
  /** In the order of time, at least two. */
  readonly looks: readonly { readonly atMs: number; readonly process: ProcessLook }[];
}

export function looksOf(pid: number, looks: readonly Look[]): Watched['looks'] {
  return looks.map(({ atMs, processes }) => ({
    atMs,
    process: processes.find((process) => process.pid === pid) ?? { pid, threads: [], nodes: undefined },
  }));
}

/** One thread in the looks that saw it, in the order of time. */
export interface Track {
  readonly tid: number;
  readonly seen: readonly { readonly atMs: number; readonly task: TaskLook }[];
}

export function trackOf(tid: number, looks: Watched['looks']): Track {
  const seen = looks.flatMap(({ atMs, process }) => {
    const task = process.threads.find((each) => each.tid === tid);
    return task === undefined ? [] : [{ atMs, task }];
  });
  return { tid, seen };
}

/** How much a counter grew while the thread was seen, and in how many seconds. */
export function growthOf(
  { seen }: Track,
  count: (task: TaskLook) => number,
): { readonly count: number; readonly s: number } {
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return { count: 0, s: 0 };
  return { count: count(last.task) - count(first.task), s: (last.atMs - first.atMs) / 1000 };
}
