import type { Agent, Planned } from '../agent/agent.ts';
import { sessionInterfaces } from '../engine/confirmation.ts';
import type { Plan } from '../engine/plan.ts';
import type { RollbackOutcome } from '../engine/rollback.ts';
import type { Scope, Wanted } from '../engine/scope.ts';
import type { TrialVerdict } from '../engine/trial.ts';
import type { TuneOutcome } from '../engine/tune.ts';
import { UsageError } from '../errors.ts';
import { outcomeExitCode } from '../views/outcome.ts';
import { viewPlan } from '../views/plan.ts';
import { viewRollback } from '../views/rollback.ts';
import type { Terminal } from '../views/terminal.ts';
import { parseSeconds } from './duration.ts';
import { watchInterruption } from './interruption.ts';
import { askToApply } from './question.ts';
import { isRoot, requireRoot } from './root.ts';
import { readScope } from './scope-flags.ts';
import { type Installation, openAgent } from './target.ts';
import { loadWanted, type NamedWanted, persisted } from './wanted.ts';

/** What a `hft tune` came to. Without an outcome nothing was changed, for the reason given. */
export interface Tuned {
  readonly plan: Plan;
  readonly outcome: TuneOutcome | undefined;
  readonly unchanged: 'as-wanted' | 'dry-run' | 'declined' | 'needs-root' | undefined;
  /** The profile that was in force before, where nothing but that had to be changed. */
  readonly inPlaceOf?: string | undefined;
  /** What an earlier run left half done and was undone first. */
  readonly recovered: RollbackOutcome;
  readonly rebooting: boolean;
  /** On the boot after a trial was staged: whether it passed, and became the default. */
  readonly trial?: TrialVerdict;
  readonly exitCode: number;
}

export interface TuneFlags {
  readonly profile?: string | undefined;
  readonly yes: boolean;
  readonly 'dry-run': boolean;
  readonly only?: string[] | undefined;
  readonly skip?: string[] | undefined;
  readonly 'confirm-within': string;
  readonly reboot: boolean;
  readonly persist: boolean;
}

export interface TuneDialogue {
  readonly terminal: Terminal;
  /** Shows text to the person, apart from the result. */
  readonly report: (text: string) => void;
}

const NOTHING_RECOVERED: RollbackOutcome = { reports: [], complete: true };

/** plan → ask → apply → plan again, on this machine. */
export async function tuneHost(installation: Installation, flags: TuneFlags, dialogue: TuneDialogue): Promise<Tuned> {
  const confirmWithinS = parseSeconds('--confirm-within', flags['confirm-within']);
  const scope = await readScope(flags);
  const { wanted, locate } = await readWanted(installation, flags);
  const agent = await openAgent(installation);
  const recovered = isRoot() && !flags['dry-run'] ? await agent.recover() : NOTHING_RECOVERED;
  if (recovered.reports.length > 0) {
    dialogue.report(
      `An earlier run was cut off; it was undone first.\n${viewRollback(recovered, dialogue.terminal)}\n`,
    );
  }
  const planned = await locate(() => agent.plan(wanted, scope, { retries: true }));
  const { plan } = planned;
  const unchanged = await whyUnchanged(planned, flags, dialogue);
  if (unchanged) {
    const request = { wanted, scope, planned, confirmWithinS, approve: async () => true };
    const inPlaceOf = unchanged === 'as-wanted' ? await agent.adopt(request) : undefined;
    const exitCode = unchangedExitCode(plan, unchanged);
    return { plan, recovered, unchanged, inPlaceOf, outcome: undefined, rebooting: false, exitCode };
  }
  const outcome = await applyShown(agent, { wanted, scope, planned, confirmWithinS }, { flags, dialogue });
  const exitCode = outcomeExitCode(outcome);
  const rebooting = flags.reboot && exitCode === 5 && outcome.confirmBy === undefined;
  if (rebooting) await agent.reboot();
  return { plan, recovered, outcome, unchanged: undefined, rebooting, exitCode };
}

async function readWanted({ root }: Installation, flags: TuneFlags): Promise<NamedWanted> {
  if (flags.profile === undefined) {
    throw new UsageError('Which profile? Give `--profile NAME`.', {
      next: ['`hft profile list` shows the shipped ones; `--profile colo` is the one for a bare-metal trading host.'],
    });
  }
  const named = await loadWanted(flags.profile, root);
  return flags.persist ? { ...named, wanted: persisted(named.wanted, `${root}/bin/hft`) } : named;
}

async function whyUnchanged(
  planned: Planned,
  flags: TuneFlags,
  { terminal, report }: TuneDialogue,
): Promise<Tuned['unchanged']> {
  const { plan, machine } = planned;
  if (flags['dry-run']) return 'dry-run';
  if (!isRoot()) return 'needs-root';
  if (plan.changes.length === 0) return 'as-wanted';
  report(viewPlan(plan, terminal));
  const own = sessionInterfaces(plan, machine);
  if (own.length > 0)
    report(
      `\n${own.join(', ')} carries your session: the host takes the change back by itself unless it is confirmed.`,
    );
  if (flags.yes) return undefined;
  return (await askToApply(`\nApply ${plan.changes.length} changes to ${plan.host}?`)) ? undefined : 'declined';
}

interface Shown {
  readonly wanted: Wanted;
  readonly scope: Scope;
  readonly planned: Planned;
  readonly confirmWithinS: number;
}

function applyShown(
  agent: Agent,
  shown: Shown,
  { flags, dialogue }: { flags: TuneFlags; dialogue: TuneDialogue },
): Promise<TuneOutcome> {
  const signal = watchInterruption();
  return agent.apply({
    ...shown,
    signal,
    async approve(plan, end) {
      if (flags.yes) return true;
      dialogue.report(`\nWhat exists has changed, and with it the plan:\n\n${viewPlan(plan, dialogue.terminal)}`);
      const either = AbortSignal.any([signal, ...(end ? [end] : [])]);
      return askToApply('\nGo on with this plan? (no: everything is undone)', either);
    },
  });
}

/** What hft-tune.service does at every boot. Fails (and with it hft-trading.target) unless the host is as wanted. */
export async function tuneAtBoot(installation: Installation, flags: TuneFlags): Promise<Tuned> {
  requireRoot('hft tune --boot');
  const agent = await openAgent(installation);
  const { plan, outcome, recovered, trial, fallBack } = await agent.bringBack(await readScope(flags));
  if (!plan) {
    throw new UsageError('No profile is in force, so there is nothing to put back.', {
      next: ['`hft tune --profile NAME` puts one in force.'],
    });
  }
  const settled = outcome ? outcomeExitCode(outcome) : unchangedExitCode(plan, 'as-wanted');
  const exitCode = trial?.passed === false ? 1 : settled;
  if (fallBack) await agent.reboot();
  const unchanged = outcome ? undefined : 'as-wanted';
  return { plan, outcome, recovered, unchanged, rebooting: fallBack, exitCode, ...(trial && { trial }) };
}

function unchangedExitCode(plan: Plan, unchanged: NonNullable<Tuned['unchanged']>): number {
  if (plan.changes.length > 0) return 1;
  if (unchanged !== 'as-wanted' && plan.unread.length > 0) return 1;
  return plan.reboot ? 5 : 0;
}
