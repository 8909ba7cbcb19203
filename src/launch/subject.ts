import type { LaunchOrder } from './order.ts';
import type { PlacedProcess } from './placement.ts';
import { newRecord, type ProcessRecord } from './supervision.ts';

/** A process that is watched, with what it is held against. */
export interface Subject {
  readonly placed: PlacedProcess;
  /** undefined: the supervisor knows nothing of it. */
  readonly record: ProcessRecord | undefined;
  /** Somebody wants it to run: else it is shown and not judged. */
  readonly isWanted: boolean;
  /** Somebody else started it. */
  readonly isAdopted: boolean;
}

/** What was launched, in the order of the deployment. */
export function launchedSubjects(order: LaunchOrder, records: readonly ProcessRecord[]): Subject[] {
  return order.processes.flatMap(({ name, goal }): Subject[] => {
    const placed = order.placement.processes.find((each) => each.name === name);
    const record = records.find((each) => each.name === name);
    return placed === undefined ? [] : [{ placed, record, isWanted: goal === 'up', isAdopted: false }];
  });
}

/** What somebody else started: it runs when its pid still is a process of its start time. */
export function adoptedSubject(
  { name, pid, startTicks }: { readonly name: string; readonly pid: number; readonly startTicks: string },
  placed: PlacedProcess,
  startTicksNow: string | undefined,
): Subject {
  const isThere = startTicksNow === startTicks;
  const record: ProcessRecord = {
    ...newRecord(name),
    phase: isThere ? 'running' : 'ended',
    why: isThere ? undefined : 'it ended; nobody watches over an adopted process',
    pid,
    startTicks,
  };
  return { placed, record, isWanted: true, isAdopted: true };
}

/** CPUs on which one named thread is placed and nothing else of what is watched, isolated or not. */
export function findSingle(subjects: readonly Subject[]): number[] {
  const rules = subjects.flatMap(({ placed }) => placed.threads);
  const uses = new Map<number, number>();
  for (const cpu of rules.flatMap(({ cpus }) => cpus.flat())) uses.set(cpu, (uses.get(cpu) ?? 0) + 1);
  const named = rules.filter(({ key }) => key.kind !== 'rest');
  const single = named.flatMap(({ cpus }) => cpus.filter((set) => set.length === 1).flat());
  return single.filter((cpu) => uses.get(cpu) === 1);
}
