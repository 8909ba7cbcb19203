import { type PartInForce, partsInForce } from '../engine/in-force.ts';
import { readRuns } from '../engine/journal.ts';
import type { Change, Plan } from '../engine/plan.ts';
import { planParts } from '../engine/plan-parts.ts';
import { findWaiting, forgetSpentRuns, type RollbackOutcome, recover, rollback } from '../engine/rollback.ts';
import type { Scope } from '../engine/scope.ts';
import {
  bootChanges,
  DEADLINE_UNIT,
  judgeTrial,
  readTrialState,
  type TrialState,
  type TrialVerdict,
} from '../engine/trial.ts';
import { endTrial } from '../engine/trial-plan.ts';
import { type Engine, type Planned, type TuneOutcome, tune } from '../engine/tune.ts';
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
  const domains = engine.domains.map((domain) => domain.name);
  const parts = partsInForce(await readRuns(engine.state), domains);
  if (parts.length === 0) return { recovered, plan: undefined, outcome: undefined, trial: undefined, fallBack: false };
  const restore = { engine, parts, scope };
  const trial = await readTrialState(engine.host);
  const planned = await replan(restore);
  const { plan } = planned;
  // Kernel arguments are never staged by the boot itself: a trial that passed is promoted below, and one that failed
  // must not be tried again unasked.
  const outcome = await applyAtBoot(
    restore,
    planned,
    plan.changes.filter((change) => change.setting.tunable.kind !== 'boot-arg'),
  );
  if (trial.state === 'none' || trial.state === 'armed')
    return { recovered, plan, outcome, trial: undefined, fallBack: false };
  return { recovered, plan, ...(await settleTrial(restore, trial, outcome)) };
}

interface Restore {
  readonly engine: Engine;
  readonly parts: readonly PartInForce[];
  readonly scope: Scope;
}

async function replan({ engine, parts, scope }: Restore): Promise<Planned> {
  return planParts(engine, parts, { scope, runs: await readRuns(engine.state) });
}

async function applyAtBoot(
  restore: Restore,
  { plan, machine }: Planned,
  changes: readonly Change[],
): Promise<TuneOutcome | undefined> {
  if (changes.length === 0) return undefined;
  const { wanted } = restore.parts.at(-1) as PartInForce;
  return tune(restore.engine, {
    wanted,
    planned: { machine, plan: { ...plan, changes } },
    planAgain: () => replan(restore),
    origin: 'boot',
    approve: async () => true,
  });
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
    trial.state === 'running' ? judgeTrial(now.plan) : { passed: false, failed: ['the trial boot did not come up'] };
  const promoted = verdict.passed ? bootChanges(now.plan) : [];
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
