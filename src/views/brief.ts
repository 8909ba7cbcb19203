import type { Inspected } from '../agent/inspect.ts';
import type { LocalStatus } from '../agent/local-status.ts';
import type { Hello } from '../agent/protocol/results.ts';
import type { Listing } from '../cli/ps.ts';
import type { Plan } from '../engine/plan.ts';
import type { RollbackOutcome } from '../engine/rollback.ts';
import type { Verification } from '../engine/verify.ts';
import type { LatencyResult } from '../latency/report/result.ts';
import type { ProcessRecord } from '../launch/supervision.ts';

/** Answers of a host in a few words: hosts with the same ones are shown together. No names, no times. */
const joined = (parts: readonly (string | false | undefined)[]) => parts.filter((part) => part).join(', ');

export function briefPlan({ profile, changes, reboot, unread }: Plan): string {
  const differ = changes.length === 0 ? `as ${profile} wants it` : `${changes.length} settings differ from ${profile}`;
  return joined([differ, reboot && 'a reboot is needed', unread.length > 0 && `${unread.length} could not be read`]);
}

export function briefVerification({ profile, summary }: Verification): string {
  const counts = Object.entries(summary).filter(([, count]) => count > 0);
  return `${profile}: ${counts.map(([status, count]) => `${count} ${status}`).join(', ') || 'nothing to verify'}`;
}

export function briefStatus({
  profile,
  drift,
  pendingReboot,
  cutOff,
  notUndone,
  waiting,
  launched,
  watch,
}: LocalStatus): string {
  const drifted = new Set([...drift.map(({ id }) => id), ...Object.keys(watch?.drifted ?? {})]);
  return joined([
    profile === undefined ? 'no profile in force' : `${profile} in force`,
    drifted.size > 0 && `${drifted.size} drifted`,
    pendingReboot.length > 0 && 'a reboot is pending',
    waiting !== undefined && 'waits for a confirmation',
    cutOff.length > 0 && 'a run was cut off',
    notUndone.length > 0 && `${notUndone.length} not undone`,
    launched !== undefined && `${launched.deployment} launched${launched.refused === undefined ? '' : ', and refused'}`,
  ]);
}

export function briefRollback({ reports, complete }: RollbackOutcome): string {
  if (reports.length === 0) return 'nothing to undo';
  return complete ? 'undone' : 'not everything is undone';
}

export function briefRecords(records: readonly ProcessRecord[]): string {
  if (records.length === 0) return 'no processes';
  const phases = [...new Set(records.map(({ phase }) => phase))].sort();
  return phases.map((phase) => `${records.filter((record) => record.phase === phase).length} ${phase}`).join(', ');
}

export function briefListing({ deployment, rows }: Listing): string {
  return joined([deployment, briefRecords(rows.map(({ record }) => record))]);
}

export function briefInspected({ machine, inspection }: Inspected): string {
  const { release, realtime } = machine.kernel;
  const online = machine.topology.cpus.filter((cpu) => cpu.online).length;
  return joined([inspection.processor.model, `${online} CPUs`, `${release}${realtime ? ' PREEMPT_RT' : ''}`]);
}

export function briefHello({ version, role }: Hello): string {
  return `hft ${version}, ${role}`;
}

export function briefLatency({ profile, summary, cut, probes }: LatencyResult): string {
  const { pass, fail, inconclusive, notJudged, notMeasured } = summary;
  const counts = Object.entries({ pass, fail, inconclusive, 'not judged': notJudged, 'not measured': notMeasured });
  const judged = counts.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
  if (probes.length === 0) return joined(['nothing was measured', cut && 'ended early']);
  return joined([
    `${profile?.name ?? 'no profile'}: ${judged.join(', ') || 'measured, no limit'}`,
    profile?.differs ? `${profile.differs} settings differ` : false,
    cut && 'ended early',
  ]);
}
