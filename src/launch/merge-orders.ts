import { isSameProcess, type LaunchOrder, type OrderedProcess } from './order.ts';
import type { Phase, ProcessRecord } from './supervision.ts';

const ENGINES = { systemd: 'systemd', hft: "hft's own supervisor" } as const;
const SETTLED: ReadonlySet<Phase> = new Set(['down', 'ended', 'broken']);

export interface Before {
  readonly order: LaunchOrder;
  readonly records: readonly ProcessRecord[];
}

/** A process that runs and would have to be stopped first. */
export interface Conflict {
  readonly name: string;
  readonly why: string;
}

export interface Merged {
  readonly order: LaunchOrder;
  readonly conflicts: readonly Conflict[];
}

/**
 * A new order over the one before. What runs is never restarted by the way: where its definition differs, that is a conflict. `names`: what is
 * asked for; the others stay as they are. Pure.
 */
export function mergeOrders(order: LaunchOrder, names: readonly string[], before: Before | undefined): Merged {
  const runs = (name: string) => {
    const phase = before?.records.find((record) => record.name === name)?.phase ?? 'down';
    return !SETTLED.has(phase);
  };
  const known = new Map(before?.order.processes.map((process) => [process.name, process]));
  const conflicts = [...known.values()].flatMap(({ name }): Conflict[] => {
    if (!runs(name)) return [];
    const now = order.processes.find((process) => process.name === name);
    if (before?.order.engine !== order.engine)
      return [{ name, why: `${ENGINES[before?.order.engine ?? 'hft']} runs it` }];
    if (before?.order.deployment !== order.deployment) return [{ name, why: `it is of ${before?.order.deployment}` }];
    if (now === undefined) return [{ name, why: 'the deployment does not have it any more' }];
    return isSameProcess(now, known.get(name) as OrderedProcess)
      ? []
      : [{ name, why: 'it would be started in another way' }];
  });
  const processes = order.processes.map((process): OrderedProcess => {
    const earlier = known.get(process.name);
    const asked = earlier?.asked ?? 0;
    if (!names.includes(process.name)) return { ...process, goal: earlier?.goal ?? 'down', asked };
    return { ...process, goal: 'up', asked: runs(process.name) && earlier?.goal === 'up' ? asked : asked + 1 };
  });
  return { order: { ...order, processes }, conflicts };
}
