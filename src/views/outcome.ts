import type { TuneOutcome } from '../engine/tune.ts';
import { viewRollback } from './rollback.ts';
import { paint, type Terminal, wrap } from './terminal.ts';

/** How a tune ended: what was done, what the kernel refused, what to do next. */
export function viewOutcome(outcome: TuneOutcome, terminal: Terminal): string {
  return outcome.result === 'applied' ? viewApplied(outcome, terminal) : viewFailed(outcome, terminal);
}

function viewApplied(outcome: TuneOutcome, terminal: Terminal): string {
  const { applied, skipped } = outcome.report;
  const lines = [paint(terminal, 'green', `${applied.length} changes made, each read back.`)];
  for (const { id, reason } of skipped) lines.push(`  ${paint(terminal, 'magenta', 'left')}  ${id}: ${reason}`);
  const left = remaining(outcome);
  for (const id of left) lines.push(`  ${paint(terminal, 'red', 'differs')}  ${id}`);
  if (left.length > 0) lines.push('Something else changes these back: see `hft verify settings`.');
  if (outcome.after.reboot) lines.push(paint(terminal, 'yellow', wrap(rebootAdvice(outcome), terminal.columns)));
  if (outcome.confirmBy) {
    const text = `The interface of this session was changed. Log in anew, or run \`hft confirm\`, before ${outcome.confirmBy}; else the host takes the run back by itself.`;
    lines.push(paint(terminal, 'yellow', wrap(text, terminal.columns)));
  }
  lines.push(paint(terminal, 'dim', `Undo with: hft rollback    (run ${outcome.run})`));
  return lines.join('\n');
}

function rebootAdvice({ onTrial }: TuneOutcome): string {
  if (!onTrial) return 'Reboot to bring the kernel arguments into effect.';
  return 'Reboot to try the new kernel arguments once. They become the default when that boot verifies; a boot that hangs, panics or does not verify leads back to the entry of before by itself.';
}

function viewFailed(outcome: TuneOutcome, terminal: Terminal): string {
  const { failure } = outcome.report;
  const undo = outcome.undo && viewRollback({ reports: [outcome.undo], complete: outcome.undo.complete }, terminal);
  return [paint(terminal, 'red', `${failure?.id}: ${failure?.reason}`), undo ?? ''].join('\n');
}

/** What a plan made afterwards still wants, but for what the kernel refused. */
export function remaining({ after, report }: TuneOutcome): readonly string[] {
  const skipped = new Set(report.skipped.map((step) => step.id));
  return after.changes.map((change) => change.setting.id).filter((id) => !skipped.has(id));
}

/** 0 as wanted; 1 something differs; 3 failed and undone; 4 failed and not all undone; 5 right but for a reboot. */
export function outcomeExitCode(outcome: TuneOutcome): number {
  if (outcome.result === 'undone') return 3;
  if (outcome.result === 'partly-undone') return 4;
  if (remaining(outcome).length > 0) return 1;
  return outcome.after.reboot ? 5 : 0;
}
