import { sessionInterfaces } from '../engine/confirmation.ts';
import type { Plan } from '../engine/plan.ts';
import type { RollbackOutcome, RollbackRequest } from '../engine/rollback.ts';
import type { Scope, Wanted } from '../engine/scope.ts';
import type { TuneOutcome } from '../engine/tune.ts';
import type { Verification } from '../engine/verify.ts';
import type { Agent, ApplyRequest } from './agent.ts';

export type Approval = Pick<ApplyRequest, 'approve' | 'signal' | 'confirmWithinS' | 'onProgress'>;

/** A plan that can be put into effect as it was shown. */
export interface Proposal {
  readonly plan: Plan;
  /** The interfaces that carry a session and would be disturbed. */
  readonly session: readonly string[];
  apply(approval: Approval): Promise<TuneOutcome>;
  /** Puts the profile in force on a host that is as wanted already; the name of the one that was in force before. */
  adopt(confirmWithinS: number): Promise<string | undefined>;
}

/** A host as it is brought to a profile: this one, or another one through its agent. The same for both. */
export interface ControlledHost {
  /** With what the kernel refused before for a reason of the moment. */
  propose(wanted: Wanted, scope: Scope): Promise<Proposal>;
  /** For whoever only looks. */
  plan(wanted: Wanted, scope: Scope): Promise<Plan>;
  recover(): Promise<RollbackOutcome>;
  rollback(request: RollbackRequest): Promise<RollbackOutcome>;
  confirm(): Promise<string | undefined>;
  verify(wanted: Wanted, scope: Scope): Promise<Verification>;
  verifyInForce(scope: Scope): Promise<Verification | undefined>;
  reboot(): Promise<void>;
}

/** This host, by its agent in this process. */
export function controlHere(agent: Agent): ControlledHost {
  return {
    async propose(wanted, scope) {
      const planned = await agent.plan(wanted, scope, { retries: true });
      const request = { wanted, scope, planned };
      return {
        plan: planned.plan,
        session: sessionInterfaces(planned.plan, planned.machine),
        apply: (approval) => agent.apply({ ...request, ...approval }),
        adopt: (confirmWithinS) => agent.adopt({ ...request, confirmWithinS, approve: async () => true }),
      };
    },
    plan: async (wanted, scope) => (await agent.plan(wanted, scope)).plan,
    recover: () => agent.recover(),
    rollback: (request) => agent.rollback(request),
    confirm: () => agent.confirm(),
    verify: (wanted, scope) => agent.verify(wanted, scope),
    verifyInForce: (scope) => agent.verifyInForce(scope),
    reboot: () => agent.reboot(),
  };
}
