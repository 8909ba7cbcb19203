import type { BypassLibrary } from './bypass-facts.ts';
import type { InterruptCounts } from './interrupt-text.ts';
import type { Seen } from './judge.ts';
import { growthOf, looksOf, trackOf } from './judged.ts';
import { matchThreads } from './match-threads.ts';
import type { ProcessRecord } from './supervision.ts';

/** What `hft ps` shows of a process. Rates are per second, over the looks. */
export interface ProcessRow {
  readonly record: ProcessRecord;
  /** Somebody else started it. */
  readonly isAdopted: boolean;
  readonly lockedBytes: number | undefined;
  readonly swapBytes: number | undefined;
  readonly residentBytes: number | undefined;
  /** Bytes by NUMA node; undefined: not known. */
  readonly nodes: ReadonlyMap<number, number> | undefined;
  readonly threads: readonly ThreadRow[];
  /** The library before it; undefined: none was asked for. */
  readonly bypass: BypassRow | undefined;
}

export interface BypassRow {
  readonly library: BypassLibrary;
  /** What is mapped; null: nothing; undefined: not known. */
  readonly mapped: string | null | undefined;
}

export interface ThreadRow {
  readonly tid: number;
  readonly name: string;
  /** The rule of the deployment: `md-rx`, `#0`, `*`. */
  readonly rule: string;
  readonly wanted: readonly number[];
  readonly allowed: readonly number[] | undefined;
  /** Where it ran last. */
  readonly cpu: number;
  readonly policy: string;
  readonly priority: number;
  readonly nice: number;
  readonly switchesPerS: number;
  readonly involuntaryPerS: number;
  readonly migrationsPerS: number | undefined;
  readonly faultsPerS: number;
  /** On the CPU where it ran last. */
  readonly interruptsPerS: number;
}

/** The table of what was launched, by process and thread. Pure. */
export function tabulate({ subjects, looks }: Pick<Seen, 'subjects' | 'looks'>): ProcessRow[] {
  const interrupts = ratesOf(looks.map((look) => ({ atMs: look.atMs, counts: look.interrupts.cpus })));
  return subjects.flatMap(({ record, placed, isAdopted }): ProcessRow[] => {
    if (record === undefined) return [];
    const seen = record.pid === undefined ? [] : looksOf(record.pid, looks);
    const last = seen.at(-1)?.process;
    const status = last?.threads[0]?.status;
    const { matched } = matchThreads(placed.threads, last?.threads ?? []);
    const threads = matched.map(({ rule, task, cpus }): ThreadRow => {
      const track = trackOf(task.tid, seen);
      const perS = (count: Parameters<typeof growthOf>[1]) => {
        const { count: grown, s } = growthOf(track, count);
        return s === 0 ? 0 : grown / s;
      };
      return {
        tid: task.tid,
        name: task.name,
        rule: rule.name,
        wanted: cpus,
        allowed: task.status?.allowed,
        cpu: task.cpu,
        policy: task.policy,
        priority: task.priority,
        nice: task.nice,
        switchesPerS: perS(({ status: each }) => (each?.voluntary ?? 0) + (each?.involuntary ?? 0)),
        involuntaryPerS: perS(({ status: each }) => each?.involuntary ?? 0),
        migrationsPerS: task.migrations === undefined ? undefined : perS(({ migrations }) => migrations ?? 0),
        faultsPerS: perS(({ minorFaults, majorFaults }) => minorFaults + majorFaults),
        interruptsPerS: interrupts.get(task.cpu) ?? 0,
      };
    });
    return [
      {
        record,
        isAdopted,
        lockedBytes: status?.lockedBytes,
        swapBytes: status?.swapBytes,
        residentBytes: status?.residentBytes,
        nodes: seen.findLast(({ process }) => process.nodes !== undefined)?.process.nodes,
        bypass: placed.bypass && { library: placed.bypass.library, mapped: last?.bypass?.mapped },
        threads: threads.sort((left, right) => left.tid - right.tid),
      },
    ];
  });
}

interface Counted {
  readonly atMs: number;
  readonly counts: ReadonlyMap<number, InterruptCounts>;
}

/** Interrupts of all kinds a second, by CPU. */
function ratesOf(counted: readonly Counted[]): Map<number, number> {
  const [first, last] = [counted[0], counted.at(-1)];
  if (first === undefined || last === undefined || last.atMs === first.atMs) return new Map();
  const sum = (counts: InterruptCounts | undefined) =>
    counts === undefined ? 0 : counts.timer + counts.devices + counts.others;
  const s = (last.atMs - first.atMs) / 1000;
  return new Map([...last.counts].map(([cpu, counts]) => [cpu, (sum(counts) - sum(first.counts.get(cpu))) / s]));
}
