import type { Plan } from './plan.ts';

/** The five answers. Never a guess: what could not be read is unknown, and says why in the evidence. */
export type VerifyStatus = 'pass' | 'fail' | 'pending-reboot' | 'unsupported' | 'unknown';

export interface VerifyResult {
  readonly id: string;
  readonly domain: string;
  readonly status: VerifyStatus;
  readonly expected: string | null;
  readonly actual: string | null;
  readonly evidence: string;
}

export interface Verification {
  readonly profile: string;
  readonly host: string;
  readonly results: readonly VerifyResult[];
  readonly summary: Readonly<Record<VerifyStatus, number>>;
}

/** Verifying is planning again and expecting nothing. */
export function verifyPlan(plan: Plan): Verification {
  const results: VerifyResult[] = [
    ...plan.satisfied.map(
      (each): VerifyResult => ({
        id: each.setting.id,
        domain: each.domain,
        status: each.pendingReboot ? 'pending-reboot' : 'pass',
        expected: each.setting.value,
        actual: each.current,
        evidence: each.evidence,
      }),
    ),
    ...plan.changes.map(
      (change): VerifyResult => ({
        id: change.setting.id,
        domain: change.domain,
        status: 'fail',
        expected: change.desired,
        actual: change.current,
        evidence: change.setting.leftBy ? `${change.evidence}. ${change.setting.why}` : change.evidence,
      }),
    ),
    ...plan.refused.map(
      (refusal): VerifyResult => ({
        id: refusal.id,
        domain: refusal.domain,
        status: statusOfRefusal(refusal.kind),
        expected: null,
        actual: null,
        evidence: refusal.reason,
      }),
    ),
    ...plan.unread.map(
      (each): VerifyResult => ({
        id: each.setting.id,
        domain: each.domain,
        status: 'unknown',
        expected: each.setting.value,
        actual: null,
        evidence: each.evidence,
      }),
    ),
  ];
  return { profile: plan.profile, host: plan.host, results, summary: summarize(results) };
}

function statusOfRefusal(kind: Plan['refused'][number]['kind']): VerifyStatus {
  if (kind === 'unknown') return 'unknown';
  return kind === 'conflict' ? 'fail' : 'unsupported';
}

export function summarize(results: readonly VerifyResult[]): Record<VerifyStatus, number> {
  const summary: Record<VerifyStatus, number> = { pass: 0, fail: 0, 'pending-reboot': 0, unsupported: 0, unknown: 0 };
  for (const { status } of results) summary[status]++;
  return summary;
}

/** 0 as wanted; 1 something differs or is unknown; 5 right but for a reboot. */
export function verifyExitCode({ summary }: Verification): 0 | 1 | 5 {
  if (summary.fail > 0 || summary.unknown > 0) return 1;
  return summary['pending-reboot'] > 0 ? 5 : 0;
}
