import { readRuns } from '../engine/journal.ts';
import { observeAndPlan, type Scope } from '../engine/observe.ts';
import { findInForce, findWaiting, forgetSpentRuns, recover, rollback, type RollbackOutcome } from '../engine/rollback.ts';
import { type Engine, tune, type TuneOutcome } from '../engine/tune.ts';
import type { Plan } from '../engine/plan.ts';

/** What the boot came to. Without an outcome nothing had to be changed. */
export interface BootReport {
  /** Undone before anything else: runs that a power cut ended, or that nobody confirmed. */
  readonly recovered: RollbackOutcome;
  /** undefined: no profile is in force. */
  readonly plan: Plan | undefined;
  readonly outcome: TuneOutcome | undefined;
}

/**
 * What hft-tune.service does at boot: settles what the last boot left open, and puts the profile in force back as it
 * was applied, without the settings that were rolled back one by one.
 */
export async function bringBack(engine: Engine, scope: Scope): Promise<BootReport> {
  const recovered = await settle(engine);
  await forgetSpentRuns(engine);
  const inForce = findInForce(await readRuns(engine.state));
  if (!inForce) return { recovered, plan: undefined, outcome: undefined };
  const { wanted } = inForce.begin;
  const exceptIds = inForce.steps.filter((step) => step.status === 'undone').map((step) => step.id);
  const limited = { ...scope, exceptIds };
  const { plan } = await observeAndPlan({ reader: engine.host, domains: engine.domains, wanted, scope: limited });
  if (plan.changes.length === 0) return { recovered, plan, outcome: undefined };
  const outcome = await tune(engine, { wanted, scope: limited, plan, origin: 'boot', approve: async () => true });
  return { recovered, plan, outcome };
}

/** A run that still waits for its confirmation after a reboot was not confirmed: its host may be lost for good else. */
async function settle(engine: Engine): Promise<RollbackOutcome> {
  const recovered = await recover(engine);
  const waiting = findWaiting(await readRuns(engine.state));
  const isOfEarlierBoot = waiting && waiting.begin.bootId !== (await engine.host.readText('/proc/sys/kernel/random/boot_id'))?.trim();
  if (!isOfEarlierBoot) return recovered;
  const undone = await rollback(engine, { scope: { run: waiting.run } });
  return { reports: [...recovered.reports, ...undone.reports], complete: recovered.complete && undone.complete };
}
