import type { Change } from '../../engine/plan.ts';
import { domainOf, narrow } from '../../engine/scope.ts';
import type { Agent } from '../agent.ts';

export interface Healed {
  readonly ids: readonly string[];
  readonly run: string;
  readonly result: 'applied' | 'undone' | 'partly-undone';
  readonly failure: string | undefined;
}

/** Until an unconfirmed change to the session's own interface is taken back by the host: nobody is there to confirm it. */
const CONFIRM_WITHIN_S = 60;

/**
 * Sets settings again that drifted, domain by domain, as `hft tune` would: planned, applied through the journal, under the lock and the
 * guard. Whatever the plan would do beside them is not done. `begin`: before anything is written; it throws where that must not be.
 */
export async function heal(
  agent: Agent,
  ids: readonly string[],
  begin: (ids: readonly string[]) => Promise<void>,
): Promise<readonly Healed[]> {
  const healed: Healed[] = [];
  for (const domain of new Set(ids.map(domainOf))) {
    const part = await agent.inForce(domain);
    if (part === undefined) continue;
    const scope = narrow(part.scope, { only: [domain], onlyIds: ids.filter((id) => domainOf(id) === domain) });
    const planned = await agent.plan(part.wanted, scope, { retries: true });
    const { changes } = planned.plan;
    if (changes.length === 0 || !changes.every((change) => isHarmless(change, ids))) continue;
    const changed = changes.map(({ setting }) => setting.id);
    await begin(changed);
    const request = { wanted: part.wanted, scope, planned, confirmWithinS: CONFIRM_WITHIN_S, isHeal: true };
    // What another plan would do nobody has allowed.
    const { run, result, report } = await agent.apply({ ...request, approve: async () => false });
    healed.push({ ids: changed, run, result, failure: report.failure?.reason });
  }
  return healed;
}

function isHarmless({ setting, disruption, takesEffect, bystanders = [] }: Change, ids: readonly string[]): boolean {
  const isAllowed = ids.includes(setting.id);
  return isAllowed && disruption === 'none' && takesEffect === 'now' && bystanders.length === 0;
}
