import { intersection } from '../topology/cpulist.ts';
import { judgeProcess } from './judge-process.ts';
import { type Judged, looksOf } from './judged.ts';
import type { Look } from './look.ts';
import type { LaunchOrder } from './order.ts';
import { judgeStrangers } from './strangers.ts';
import type { ProcessRecord } from './supervision.ts';

export interface Seen {
  readonly order: LaunchOrder;
  readonly records: readonly ProcessRecord[];
  readonly looks: readonly Look[];
  readonly exclusive: readonly number[];
  readonly isolated: readonly number[];
  readonly uptimeS: number;
}

/** What was launched against how it was placed. Pure. A process that nobody asked for is not judged. */
export function judgeLaunched(seen: Seen): Judged[] {
  const { order, records, looks, exclusive, isolated, uptimeS } = seen;
  const processes = order.processes.flatMap(({ name, goal, wanted }): Judged[] => {
    const record = records.find((each) => each.name === name);
    const placed = order.placement.processes.find((each) => each.name === name);
    if (goal === 'down' || placed === undefined) return [];
    if (record?.phase !== 'running' || record.pid === undefined) return [judgeAbsent(name, record)];
    const { lock, hugepages } = wanted.memory;
    const watched = { placed, pid: record.pid, locks: lock, hugepages, looks: looksOf(record.pid, looks) };
    return judgeProcess(watched, isolated);
  });
  const strangers = judgeStrangers({ looks, exclusive, isolated: intersection(exclusive, isolated), uptimeS });
  return [...processes, ...strangers];
}

function judgeAbsent(name: string, record: ProcessRecord | undefined): Judged {
  const phase = record?.phase ?? 'down';
  const evidence = record?.why ?? record?.lastEnd ?? 'the supervisor says nothing more';
  return {
    id: `processes.running@${name}`,
    domain: name,
    status: 'fail',
    expected: 'running',
    actual: phase,
    evidence,
  };
}
