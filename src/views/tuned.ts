import type { Tuned } from '../cli/tune.ts';
import { outcomeExitCode, remaining, viewOutcome } from './outcome.ts';
import { viewPlan } from './plan.ts';
import { planJson } from './plan-json.ts';
import { paint, type Terminal, wrap } from './terminal.ts';

/** The stable JSON of `hft tune`. */
export function tuneJson({ plan, outcome, unchanged, recovered, rebooting }: Tuned) {
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
    recovered: recovered.reports,
    exitCode: outcome ? outcomeExitCode(outcome) : undefined,
  };
}

export function viewTuned(tuned: Tuned, terminal: Terminal): string {
  const { plan, outcome, unchanged } = tuned;
  if (outcome) return `${viewOutcome(outcome, terminal)}${tuned.rebooting ? '\nRebooting now.' : ''}`;
  switch (unchanged) {
    case 'declined':
      return 'Nothing was changed.';
    case 'as-wanted':
      return `${viewPlan(plan, terminal)}\nNothing to do.`;
    case 'needs-root': {
      const text = 'This is the plan only: changing kernel settings, interrupts, network interfaces and boot entries needs root. Run the same command with sudo to apply it.';
      return `${viewPlan(plan, terminal)}\n\n${paint(terminal, 'yellow', wrap(text, terminal.columns))}`;
    }
    default:
      return viewPlan(plan, terminal);
  }
}
