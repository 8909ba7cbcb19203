import type { ControlledHost, Proposal } from '../agent/controlled-host.ts';
import type { Plan } from '../engine/plan.ts';
import type { RollbackOutcome } from '../engine/rollback.ts';
import type { Scope } from '../engine/scope.ts';
import type { TrialVerdict } from '../engine/trial.ts';
import type { TuneOutcome } from '../engine/tune.ts';
import { UsageError } from '../errors.ts';
import { outcomeExitCode } from '../views/outcome.ts';
import { viewPlan } from '../views/plan.ts';
import { viewRollback } from '../views/rollback.ts';
import type { Terminal } from '../views/terminal.ts';
import { parseSeconds } from './duration.ts';
import { watchInterruption } from './interruption.ts';
import type { NamedHost } from './named-host.ts';
import { withHost } from './open-host.ts';
import { ProgressLine } from './progress.ts';
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
  readonly host?: NamedHost | undefined;
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

/** plan → ask → apply → plan again, on this machine or the named one. */
export async function tuneHost(installation: Installation, flags: TuneFlags, dialogue: TuneDialogue): Promise<Tuned> {
  const confirmWithinS = parseSeconds('--confirm-within', flags['confirm-within']);
  const scope = await readScope(flags);
  const named = await readWanted(installation, flags);
  return withHost(installation, flags.host, (control) =>
    tuneControlled(control, { named, scope, confirmWithinS }, { flags, dialogue }),
  );
}

interface Wish {
  readonly named: NamedWanted;
  readonly scope: Scope;
  readonly confirmWithinS: number;
}

interface Asking {
  readonly flags: TuneFlags;
  readonly dialogue: TuneDialogue;
}

async function tuneControlled(control: ControlledHost, wish: Wish, asking: Asking): Promise<Tuned> {
  const { named, scope, confirmWithinS } = wish;
  const { flags, dialogue } = asking;
  const recovered = mayChange(flags) && !flags['dry-run'] ? await control.recover() : NOTHING_RECOVERED;
  if (recovered.reports.length > 0) {
    dialogue.report(
      `An earlier run was cut off; it was undone first.\n${viewRollback(recovered, dialogue.terminal)}\n`,
    );
  }
  const proposal = await named.locate(() => control.propose(named.wanted, scope));
  const { plan } = proposal;
  const unchanged = await whyUnchanged(proposal, flags, dialogue);
  if (unchanged) {
    const inPlaceOf = unchanged === 'as-wanted' ? await proposal.adopt(confirmWithinS) : undefined;
    const exitCode = unchangedExitCode(plan, unchanged);
    return { plan, recovered, unchanged, inPlaceOf, outcome: undefined, rebooting: false, exitCode };
  }
  const outcome = await applyShown(proposal, confirmWithinS, asking);
  const exitCode = outcomeExitCode(outcome);
  const rebooting = flags.reboot && exitCode === 5 && outcome.confirmBy === undefined;
  if (rebooting) await control.reboot();
  return { plan, recovered, outcome, unchanged: undefined, rebooting, exitCode };
}

/** Throws UsageError without a profile. */
export async function readWanted({ root }: Installation, flags: TuneFlags): Promise<NamedWanted> {
  if (flags.profile === undefined) {
    throw new UsageError('Which profile? Give `--profile NAME`.', {
      next: ['`hft profile list` shows the shipped ones; `--profile colo` is the one for a bare-metal trading host.'],
    });
  }
  const named = await loadWanted(flags.profile, root);
  return flags.persist ? { ...named, wanted: persisted(named.wanted, `${root}/bin/hft`) } : named;
}

/** On another host its agent says who may. */
function mayChange({ host }: TuneFlags): boolean {
  return host !== undefined || isRoot();
}

async function whyUnchanged(
  { plan, session }: Proposal,
  flags: TuneFlags,
  { terminal, report }: TuneDialogue,
): Promise<Tuned['unchanged']> {
  if (flags['dry-run']) return 'dry-run';
  if (!mayChange(flags)) return 'needs-root';
  if (plan.changes.length === 0) return 'as-wanted';
  report(viewPlan(plan, terminal));
  if (session.length > 0)
    report(
      `\n${session.join(', ')} carries your session: the host takes the change back by itself unless it is confirmed.`,
    );
  if (flags.yes) return undefined;
  return (await askToApply(`\nApply ${plan.changes.length} changes to ${plan.host}?`)) ? undefined : 'declined';
}

function applyShown(proposal: Proposal, confirmWithinS: number, { flags, dialogue }: Asking): Promise<TuneOutcome> {
  const signal = watchInterruption();
  const line = new ProgressLine(process.stderr);
  const outcome = proposal.apply({
    confirmWithinS,
    signal,
    onProgress: ({ done, of, what }) => line.show(`${done}/${of}  ${what}`),
    async approve(plan, end) {
      if (flags.yes) return true;
      line.clear();
      dialogue.report(`\nWhat exists has changed, and with it the plan:\n\n${viewPlan(plan, dialogue.terminal)}`);
      const either = AbortSignal.any([signal, ...(end ? [end] : [])]);
      return askToApply('\nGo on with this plan? (no: everything is undone)', either);
    },
  });
  return outcome.finally(() => line.clear());
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
