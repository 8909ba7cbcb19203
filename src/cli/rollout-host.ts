import { randomUUID } from 'node:crypto';
import { NoAnswer } from '../agent/client/failures.ts';
import type { RemoteHost } from '../agent/client/remote-host.ts';
import { pause } from '../agent/pause.ts';
import type { Plan } from '../engine/plan.ts';
import type { Scope, Wanted } from '../engine/scope.ts';
import type { TuneOutcome } from '../engine/tune.ts';
import { HftError } from '../errors.ts';
import { type AskedRequest, type HostEnd, keysOfChanges, type RolloutHost } from '../fleet/rollout.ts';
import { remaining } from '../views/outcome.ts';
import { describeFailure } from './fleet-ask.ts';
import type { OpenHost } from './open-host.ts';

/** What every host of a rollout is asked for. */
export interface RolloutWish {
  readonly wanted: Wanted;
  readonly scope: Scope;
  readonly confirmWithinS: number;
  readonly forks: number;
  readonly maxFail: number;
  readonly reboots: boolean;
  readonly bootWithinS: number;
}

/** What is needed to bring one host of a rollout to its profile. */
export interface HostTask {
  readonly host: RolloutHost;
  readonly wish: RolloutWish;
  /** The request that an earlier hft sent, and whose end it did not see. */
  readonly asked: AskedRequest | undefined;
  /** What somebody said yes to. */
  readonly shown: readonly string[];
  readonly open: (host: RolloutHost) => Promise<OpenHost<RemoteHost>>;
  /** Returns when it is on disk that the request is about to be sent. */
  readonly onAsked: (asked: AskedRequest) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Where a host is while the rollout looks whether it is as wanted. */
interface Applied {
  readonly plan: Plan;
  /** undefined: nothing had to be changed. */
  readonly outcome: TuneOutcome | undefined;
}

/** Brings one host to the profile, verifies it over a new connection, and keeps it. Never throws. */
export async function bringHost(task: HostTask): Promise<HostEnd> {
  try {
    const applied = await withSession(task, (control) => applyOn(control, task));
    const { outcome } = applied;
    if (outcome !== undefined && outcome.result !== 'applied') return endOfFailure(outcome);
    const end = await settle(task, applied);
    const mayReboot = end.outcome === 'pending-reboot' && task.wish.reboots;
    return mayReboot ? await reboot(task, { ...applied, end }) : end;
  } catch (error) {
    return endOfError(task.host, error);
  }
}

/** Whether a host that was done is still as wanted: `undefined`, or how it is not. Never throws. */
export async function lookAgain(task: HostTask): Promise<HostEnd | undefined> {
  try {
    const { wanted, scope } = task.wish;
    const plan = await withSession(task, (control) => control.plan(wanted, scope));
    return plan.changes.length === 0 ? undefined : differs(plan.changes.map(({ setting }) => setting.id));
  } catch (error) {
    const { why, next } = endOfError(task.host, error);
    return { outcome: 'differs', why: `it was as wanted, and then: ${why}`, next };
  }
}

export function endOfError(host: RolloutHost, error: unknown): HostEnd {
  const { message, next } = describeFailure(host, error);
  const isUnknown = error instanceof NoAnswer && error.exitCode === UNKNOWN_END;
  return { outcome: isUnknown ? 'unknown' : 'failed', why: message.slice(host.name.length + 2), next };
}

const UNKNOWN_END = 4;

async function withSession<T>(task: HostTask, act: (control: RemoteHost) => Promise<T>): Promise<T> {
  const { control, close } = await task.open(task.host);
  try {
    return await act(control);
  } finally {
    close();
  }
}

async function applyOn(control: RemoteHost, task: HostTask): Promise<Applied> {
  const { wanted, scope, confirmWithinS } = task.wish;
  const before = task.asked && (await askAgain(control, task, task.asked));
  if (before !== undefined) return { plan: before.after, outcome: before };
  // What an earlier run left half done is undone first: the plan is one of the machine as it was before it.
  await control.recover();
  const proposal = await control.propose(wanted, scope);
  if (proposal.plan.changes.length === 0) {
    await proposal.adopt(confirmWithinS);
    return { plan: proposal.plan, outcome: undefined };
  }
  mustBeShown(proposal.plan, task.shown);
  const names = { plan: proposal.name, request: randomUUID() };
  await task.onAsked(names);
  return { plan: proposal.plan, outcome: await control.applyNamed(names, approvalOf(task)) };
}

/** undefined: the request never arrived, or was cut off with its agent; nothing of it is under way. */
async function askAgain(control: RemoteHost, task: HostTask, asked: AskedRequest): Promise<TuneOutcome | undefined> {
  try {
    const outcome = await control.applyNamed(asked, approvalOf(task));
    return outcome.result === 'applied' ? outcome : undefined;
  } catch (error) {
    if (error instanceof HftError && !(error instanceof NoAnswer)) return undefined;
    throw error;
  }
}

/** The plan that follows from queues and CPUs that the first half changed is part of what was agreed to. */
function approvalOf({ wish, signal }: HostTask) {
  return { confirmWithinS: wish.confirmWithinS, signal, approve: async () => true };
}

/** Nothing changes unseen: fewer changes than were shown are well, others are not. */
function mustBeShown({ changes }: Plan, shown: readonly string[]): void {
  const known = new Set(shown);
  const unseen = changes.filter((change) => !known.has(keysOfChanges([change])[0] as string));
  if (unseen.length === 0) return;
  const [first] = unseen;
  throw new HftError(`${unseen.length} changes are not those that were shown, ${first?.setting.id} among them.`, {
    exitCode: 3,
    next: ['Nothing was done there. A new `hft tune` shows the plan as it is now.'],
  });
}

function endOfFailure({ result, report, run }: TuneOutcome): HostEnd {
  const { id, reason } = report.failure ?? { id: 'it', reason: 'was stopped' };
  if (result === 'undone') return { outcome: 'undone', why: `${id}: ${reason}; all of it was undone`, next: [], run };
  const next = ['`hft rollback --host` on it goes on undoing when the cause is gone.'];
  return { outcome: 'not-undone', why: `${id}: ${reason}; not all of it could be undone`, next, run };
}

/** Verified over a connection of its own, which proves that the host can be reached as it is now; kept when it is as wanted. */
async function settle(task: HostTask, { plan, outcome }: Applied): Promise<HostEnd> {
  const { wanted, scope } = task.wish;
  const left = outcome === undefined ? [] : remaining(outcome);
  return withSession(task, async (control) => {
    const verification = await control.verify(wanted, scope);
    // What the kernel or common sense refuses was said with the plan, and is no failure of this host.
    const refused = [...plan.refused, ...(outcome?.after.refused ?? []), ...(outcome?.report.skipped ?? [])];
    const known = new Set(refused.map(({ id }) => id));
    const failed = verification.results.filter(({ id, status }) => status === 'fail' && !known.has(id));
    const ids = [...new Set([...left, ...failed.map(({ id }) => id)])];
    if (ids.length > 0) return differs(ids, outcome);
    if (outcome?.confirmBy !== undefined) await control.confirm();
    const run = outcome?.run;
    const changed = outcome === undefined ? 'nothing to change' : `${outcome.report.applied.length} changes`;
    const isPending = verification.summary['pending-reboot'] > 0 || (outcome?.after ?? plan).reboot;
    if (isPending) return { outcome: 'pending-reboot', why: `${changed}; a reboot is pending`, next: [], run };
    return { outcome: 'done', why: `${changed}; as wanted`, next: [], run };
  });
}

const MOST_NAMED = 3;

function differs(ids: readonly string[], outcome?: TuneOutcome): HostEnd {
  const named = ids.slice(0, MOST_NAMED).join(', ');
  const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : '';
  const deadline = outcome?.confirmBy;
  const back = deadline === undefined ? '' : `; not confirmed: the host takes it back by itself at ${deadline}`;
  const next = ['`hft verify settings --host` shows what is there.'];
  return { outcome: 'differs', why: `${named}${more} not as wanted${back}`, next, run: outcome?.run };
}

const BETWEEN_LOOKS_MS = 2_000;

/** Reboots it, and waits until another boot of it is as wanted. */
async function reboot(task: HostTask, { plan, end }: Applied & { readonly end: HostEnd }): Promise<HostEnd> {
  const { wanted, scope, bootWithinS } = task.wish;
  const before = plan.bootId;
  await withSession(task, (control) => control.reboot());
  const untilMs = performance.now() + bootWithinS * 1_000;
  let last = 'it did not come back';
  while (performance.now() < untilMs && !task.signal.aborted) {
    await pause(BETWEEN_LOOKS_MS, task.signal);
    try {
      const after = await withSession(task, (control) => control.plan(wanted, scope));
      if (after.bootId === before) continue;
      if (after.changes.length === 0 && !after.reboot) return { ...end, outcome: 'done', why: 'rebooted; as wanted' };
      last = `after its reboot ${differs(after.changes.map(({ setting }) => setting.id)).why}`;
    } catch (error) {
      if (!(error instanceof HftError)) throw error;
    }
  }
  const why = task.signal.aborted
    ? 'rebooting when it was interrupted'
    : `${last} within ${bootWithinS} s of its reboot`;
  return { outcome: 'differs', why, next: ['`hft status --host` shows which boot it is in.'], run: end.run };
}
