import type { Partition } from './isolated.ts';
import { judgeInterrupts } from './judge-interrupts.ts';
import { judgePartition } from './judge-partition.ts';
import { judgeProcess } from './judge-process.ts';
import { judgeTicks } from './judge-ticks.ts';
import { type Judged, looksOf } from './judged.ts';
import type { Look } from './look.ts';
import { judgeStrangers } from './strangers.ts';
import type { Subject } from './subject.ts';

/** CPUs by what is expected of them. */
export interface JudgedCpus {
  /** Processes have them to themselves. */
  readonly exclusive: readonly number[];
  /** The exclusive ones, and those of single threads. */
  readonly watched: readonly number[];
  /** Those that the running kernel isolates. */
  readonly isolated: readonly number[];
  /** Those on which it stops the tick while one thread runs. */
  readonly tickless: readonly number[];
}

/** An interrupt as its device's driver named it. */
export interface IrqLabel {
  /** `eth1/rx-3` */
  readonly name: string;
  /** Nobody may move it: the kernel places it itself, or it belongs to a CPU. */
  readonly isManaged: boolean;
}

export interface Seen {
  readonly subjects: readonly Subject[];
  /** In the order of time, at least two. */
  readonly looks: readonly Look[];
  readonly cpus: JudgedCpus;
  readonly irqs: ReadonlyMap<number, IrqLabel>;
  /** The cpuset partition at the last look; undefined: there is none. */
  readonly partition: Partition | undefined;
  /** Since boot, at the last look. */
  readonly uptimeS: number;
}

/** What is watched against how it was placed. Pure. A process that nobody asked for is not judged. */
export function judgeSeen(seen: Seen): Judged[] {
  const processes = seen.subjects.filter(({ isWanted }) => isWanted).flatMap((subject) => judgeSubject(subject, seen));
  return [...processes, ...judgeStrangers(seen), ...judgeInterrupts(seen), ...judgeTicks(seen)];
}

function judgeSubject({ placed, record }: Subject, seen: Seen): Judged[] {
  if (record?.phase === 'running' && record.pid !== undefined) {
    const watched = { placed, pid: record.pid, looks: looksOf(record.pid, seen.looks) };
    return [...judgeProcess(watched, seen), ...judgePartition(placed, seen.partition)];
  }
  return [
    {
      id: `processes.running@${placed.name}`,
      domain: placed.name,
      status: 'fail',
      expected: 'running',
      actual: record?.phase ?? 'down',
      evidence: record?.why ?? record?.lastEnd ?? 'the supervisor says nothing more',
    },
  ];
}
