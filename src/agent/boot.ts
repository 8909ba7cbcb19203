import { readRuns } from '../engine/journal.ts';
import { observeAndPlan, type Scope, type Wanted } from '../engine/observe.ts';
import type { Change, Plan } from '../engine/plan.ts';
import {
  findInForce,
  findWaiting,
  forgetSpentRuns,
  type RollbackOutcome,
  recover,
  rollback,
} from '../engine/rollback.ts';
import {
  bootChanges,
  DEADLINE_UNIT,
  judgeTrial,
  readTrialState,
  type TrialState,
  type TrialVerdict,
} from '../engine/trial.ts';
import { endTrial } from '../engine/trial-plan.ts';
import { type Engine, type TuneOutcome, tune } from '../engine/tune.ts';
import { HftError } from '../errors.ts';
import type { Host } from '../host/host.ts';

/** What the boot came to. Without an outcome nothing had to be changed. */
export interface BootReport {
  /** Undone before anything else: runs that a power cut ended, or that nobody confirmed. */
  readonly recovered: RollbackOutcome;
  /** undefined: no profile is in force. */
  readonly plan: Plan | undefined;
  readonly outcome: TuneOutcome | undefined;
  readonly trial: TrialVerdict | undefined;
  /** The trial did not verify: the machine has to be rebooted, into the default entry. */
  readonly fallBack: boolean;
}

/**
 * What hft-tune.service does at boot: settles what the last boot left open, and puts the profile in force back as it
 * was applied, without the settings that were rolled back one by one.
 */
export async function bringBack(engine: Engine, scope: Scope): Promise<BootReport> {
  const recovered = await settle(engine);
  await forgetSpentRuns(engine);
  const inForce = findInForce(await readRuns(engine.state));
  if (!inForce) return { recovered, plan: undefined, outcome: undefined, trial: undefined, fallBack: false };
  const { wanted } = inForce.begin;
  const exceptIds = inForce.steps.filter((step) => step.status === 'undone').map((step) => step.id);
  const limited = { ...scope, exceptIds };
  const restore = { engine, wanted, scope: limited };
  const trial = await readTrialState(engine.host);
  const plan = await replan(restore);
  // Kernel arguments are never staged by the boot itself: a trial that passed is promoted below, and one that failed
  // must not be tried again unasked.
  const outcome = await applyAtBoot(
    restore,
    plan,
    plan.changes.filter((change) => change.setting.tunable.kind !== 'boot-arg'),
  );
  if (trial.state === 'none' || trial.state === 'armed')
    return { recovered, plan, outcome, trial: undefined, fallBack: false };
  return { recovered, plan, ...(await settleTrial(restore, trial, outcome)) };
}

interface Restore {
  readonly engine: Engine;
  readonly wanted: Wanted;
  readonly scope: Scope;
}

async function replan({ engine, wanted, scope }: Restore): Promise<Plan> {
  return (await observeAndPlan({ reader: engine.host, domains: engine.domains, wanted, scope })).plan;
}

async function applyAtBoot(
  { engine, wanted, scope }: Restore,
  plan: Plan,
  changes: readonly Change[],
): Promise<TuneOutcome | undefined> {
  if (changes.length === 0) return undefined;
  return tune(engine, { wanted, scope, plan: { ...plan, changes }, origin: 'boot', approve: async () => true });
}

/** On the trial boot: promotes what verifies, leaves what does not. After a fall-back: clears the trial away. */
async function settleTrial(
  restore: Restore,
  trial: TrialState,
  outcome: TuneOutcome | undefined,
): Promise<Pick<BootReport, 'outcome' | 'trial' | 'fallBack'>> {
  const { host } = restore.engine;
  const now = await replan(restore);
  const verdict: TrialVerdict =
    trial.state === 'running' ? judgeTrial(now) : { passed: false, failed: ['the trial boot did not come up'] };
  const promoted = verdict.passed ? bootChanges(now) : [];
  const settled = await applyAtBoot(restore, now, [...promoted, ...(await endTrial(host))]);
  if (trial.state === 'running') await stopDeadline(host);
  const fallBack = trial.state === 'running' && !verdict.passed;
  return { outcome: settled ?? outcome, trial: verdict, fallBack };
}

/** The unit that would reboot a trial boot which nobody judged. */
async function stopDeadline(host: Host): Promise<void> {
  await host.execute(['systemctl', 'stop', DEADLINE_UNIT]);
  const left = await host.query(['systemctl', 'is-active', DEADLINE_UNIT]);
  if (left.found && left.stdout.trim() === 'active') {
    throw new HftError(`${DEADLINE_UNIT} could not be stopped and will reboot this host.`, {
      exitCode: 1,
      next: [`Run \`systemctl stop ${DEADLINE_UNIT}\`.`],
    });
  }
}

/** A run that still waits for its confirmation after a reboot was not confirmed: its host may be lost for good else. */
async function settle(engine: Engine): Promise<RollbackOutcome> {
  const recovered = await recover(engine);
  const waiting = findWaiting(await readRuns(engine.state));
  const isOfEarlierBoot =
    waiting && waiting.begin.bootId !== (await engine.host.readText('/proc/sys/kernel/random/boot_id'))?.trim();
  if (!isOfEarlierBoot) return recovered;
  const undone = await rollback(engine, { scope: { run: waiting.run } });
  return { reports: [...recovered.reports, ...undone.reports], complete: recovered.complete && undone.complete };
}
