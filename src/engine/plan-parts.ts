import type { HostReader } from '../host/host.ts';
import type { PartInForce } from './in-force.ts';
import type { Run } from './journal.ts';
import { observeAndPlan } from './observe.ts';
import type { Plan } from './plan.ts';
import { narrow, type Scope } from './scope.ts';
import type { Engine, Planned } from './tune.ts';

/** The plan for all that is in force, within a scope. */
export async function planParts(
  engine: Pick<Engine, 'domains'> & { readonly host: HostReader },
  parts: readonly PartInForce[],
  frame: { readonly scope: Scope; readonly runs: readonly Run[] },
): Promise<Planned> {
  const planned: Planned[] = [];
  for (const { wanted, scope } of parts) {
    const limits = narrow(scope, frame.scope);
    planned.push(
      await observeAndPlan({
        reader: engine.host,
        domains: engine.domains,
        runs: frame.runs,
        wanted,
        scope: limits,
      }),
    );
  }
  const last = planned.at(-1) as Planned;
  return { machine: last.machine, plan: planned.length === 1 ? last.plan : joinPlans(planned.map(({ plan }) => plan)) };
}

/** One plan for parts of several profiles; the last one names it and its CPU roles. */
function joinPlans(plans: readonly Plan[]): Plan {
  const changes = plans.flatMap((plan) => plan.changes);
  return {
    ...(plans.at(-1) as Plan),
    changes: [
      ...changes.filter(({ setting }) => setting.stage === 'shape'),
      ...changes.filter(({ setting }) => setting.stage === 'values'),
    ],
    satisfied: plans.flatMap((plan) => plan.satisfied),
    refused: plans.flatMap((plan) => plan.refused),
    unread: plans.flatMap((plan) => plan.unread),
    kept: plans.flatMap((plan) => plan.kept),
    reboot: plans.some((plan) => plan.reboot),
  };
}
