import { randomUUID } from 'node:crypto';
import type { Scope, Wanted } from '../../engine/scope.ts';
import type { Planned } from '../agent.ts';
import { LIMITS } from '../protocol/limits.ts';
import { Refused } from './refused.ts';

/** A plan that was shown to a controller. What is applied is this one: a controller sends no changes of its own. */
export interface ShownPlan {
  readonly planned: Planned;
  readonly wanted: Wanted;
  readonly scope: Scope | undefined;
}

interface Kept extends ShownPlan {
  readonly key: string;
  readonly atMs: number;
}

/** The last plans of each controller, in memory: after a restart the host is planned again. */
export class PlanStore {
  readonly #kept = new Map<string, Kept>();

  /** Returns the name by which its controller can have it applied. */
  keep(key: string, shown: ShownPlan, nowMs: number): string {
    const id = randomUUID();
    this.#kept.set(id, { ...shown, key, atMs: nowMs });
    for (const [old, { atMs }] of this.#kept) if (nowMs - atMs > LIMITS.planMs) this.#kept.delete(old);
    // Nobody's plans push out those of another.
    const own = [...this.#kept].filter(([, kept]) => kept.key === key).map(([each]) => each);
    for (const old of own.slice(0, -LIMITS.plans)) this.#kept.delete(old);
    return id;
  }

  /** For the record of what is asked; undefined where `find` throws. */
  peek(key: string, id: string): ShownPlan | undefined {
    const kept = this.#kept.get(id);
    return kept?.key === key ? kept : undefined;
  }

  /** Throws Refused when the agent has it no more, or made it for somebody else. */
  find(key: string, id: string, nowMs: number): ShownPlan {
    const kept = this.#kept.get(id);
    if (kept !== undefined && kept.key === key && nowMs - kept.atMs <= LIMITS.planMs) return kept;
    throw new Refused('The plan is too old: the agent has it no more.', [
      'Nothing was changed. Run the command again to see the plan for the machine as it is now.',
    ]);
  }
}
