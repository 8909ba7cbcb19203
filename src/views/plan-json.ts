import type { Plan } from '../engine/plan.ts';

/** The stable JSON of `hft plan` (docs/ARCHITECTURE.md): additive changes only. */
export function planJson(plan: Plan) {
  return {
    profile: plan.profile,
    host: plan.host,
    layout: plan.layout,
    changes: plan.changes.map((change) => ({
      id: change.setting.id,
      domain: change.domain,
      current: change.current,
      staged: change.staged ?? null,
      desired: change.desired,
      why: change.setting.why,
      ...(change.setting.leftBy && { leftBy: change.setting.leftBy }),
      ...(change.bystanders && {
        bystanders: change.bystanders.map(({ bystander: { id }, from, to }) => ({ id, current: from, desired: to })),
      }),
      disruption: change.disruption,
      takesEffect: change.takesEffect,
      evidence: change.evidence,
    })),
    satisfied: plan.satisfied.map((each) => ({
      id: each.setting.id,
      domain: each.domain,
      current: each.current,
      pendingReboot: each.pendingReboot,
    })),
    refused: plan.refused.map(({ id, domain, reason, kind }) => ({ id, domain, reason, kind })),
    unknown: plan.unread.map((each) => ({ id: each.setting.id, domain: each.domain, reason: each.evidence })),
    kept: plan.kept.map(({ id, domain, found, reason }) => ({ id, domain, found, reason })),
    reboot: plan.reboot,
  };
}
