import type { Tuned } from '../cli/tune.ts';
import { outcomeExitCode, remaining, viewOutcome } from './outcome.ts';
import { viewPlan } from './plan.ts';
import { planJson } from './plan-json.ts';
import { paint, type Terminal, wrap } from './terminal.ts';

/** The stable JSON of `hft tune`. */
export function tuneJson({ plan, outcome, unchanged, recovered, rebooting, trial, inPlaceOf }: Tuned) {
  return {
    plan: planJson(plan),
    result: outcome?.result ?? unchanged,
    run: outcome?.run ?? null,
    applied: outcome?.report.applied ?? [],
    skipped: outcome?.report.skipped ?? [],
    failure: outcome?.report.failure ?? null,
    undo: outcome?.undo ?? null,
    remaining: outcome ? remaining(outcome) : plan.changes.map((change) => change.setting.id),
    confirmBy: outcome?.confirmBy ?? null,
    reboot: outcome ? outcome.after.reboot : plan.reboot,
    rebooting,
    trial: trial ?? null,
    inPlaceOf: inPlaceOf ?? null,
    recovered: recovered.reports,
    exitCode: outcome ? outcomeExitCode(outcome) : undefined,
  };
}

function viewTrial({ trial }: Tuned): string {
  if (!trial) return '';
  if (trial.passed) return 'The trial boot verified: its kernel arguments are the default now.\n';
  return `The trial boot failed (${trial.failed.join(', ')}): the default entry is as it was before.\n`;
}

function viewAdopted({ plan, inPlaceOf }: Tuned): string {
  if (inPlaceOf === undefined || inPlaceOf === plan.profile) return '';
  return ` ${plan.profile} is in force now, in place of ${inPlaceOf}.`;
}

export function viewTuned(tuned: Tuned, terminal: Terminal): string {
  const { plan, outcome, unchanged } = tuned;
  const last = tuned.rebooting ? '\nRebooting now.' : '';
  if (outcome) return `${viewTrial(tuned)}${viewOutcome(outcome, terminal)}${last}`;
  switch (unchanged) {
    case 'declined':
      return 'Nothing was changed.';
    case 'as-wanted':
      return `${viewPlan(plan, terminal)}\nNothing to do.${viewAdopted(tuned)}`;
    case 'needs-root': {
      const text =
        'This is the plan only: changing kernel settings, interrupts, network interfaces and boot entries needs root. Run the same command with sudo to apply it.';
      return `${viewPlan(plan, terminal)}\n\n${paint(terminal, 'yellow', wrap(text, terminal.columns))}`;
    }
    default:
      return viewPlan(plan, terminal);
  }
}
