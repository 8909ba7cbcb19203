import type { LaunchOrder } from './order.ts';
import type { PlacedProcess } from './placement.ts';
import type { ProcessRecord } from './supervision.ts';

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
