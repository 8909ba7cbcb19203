import type { RollbackOutcome } from '../engine/rollback.ts';
import type { UndoneStep } from '../engine/undo.ts';
import { paint, type Terminal } from './terminal.ts';

/** What an undo came to: counts, and by name whatever was not put back. */
export function viewRollback(outcome: RollbackOutcome, terminal: Terminal): string {
  if (outcome.reports.length === 0) return 'Nothing to undo: no run of hft is in force.';
  const blocks = outcome.reports.map(({ run, steps }) => {
    const undone = steps.filter((step) => step.outcome === 'undone').length;
    const counted = [
      `${undone} undone`,
      ...countOf(steps, 'already', 'as before already'),
      ...countOf(
        steps.filter(({ reason }) => reason === undefined),
        'gone',
        'gone with the reboot',
      ),
    ];
    return [
      `Run ${paint(terminal, 'bold', run)}: ${counted.join(', ')}`,
      ...steps.flatMap((step) => viewLeft(step, terminal)),
    ].join('\n');
  });
  const verdict = outcome.complete
    ? paint(terminal, 'green', 'Everything is as it was before, but for what others changed since.')
    : paint(terminal, 'red', 'Not everything could be put back. Run `hft rollback` again when the cause is gone.');
  return [...blocks, verdict, ...viewAgain(outcome)].join('\n');
}

function viewAgain({ again }: RollbackOutcome): string[] {
  if (again === undefined) return [];
  const { profile, isOfEarlierBoot } = again;
  const back = `Profile ${profile} is in force again.`;
  if (!isOfEarlierBoot) return [back];
  return [
    `${back} It was set before the last boot: what ends with a boot comes back at the next one, or now by \`hft tune --profile ${profile}\`.`,
  ];
}

function countOf(steps: readonly UndoneStep[], outcome: UndoneStep['outcome'], text: string): string[] {
  const count = steps.filter((step) => step.outcome === outcome).length;
  return count > 0 ? [`${count} ${text}`] : [];
}

function viewLeft(step: UndoneStep, terminal: Terminal): string[] {
  if (step.outcome === 'kept') {
    return [
      `  ${paint(terminal, 'yellow', 'kept')}    ${step.id}  is ${step.found ?? 'nothing'}, which hft did not set (before the run: ${step.to ?? 'nothing'})`,
    ];
  }
  if (step.outcome === 'gone' && step.reason !== undefined)
    return [`  ${paint(terminal, 'dim', 'gone')}    ${step.id}  ${step.reason}`];
  if (step.outcome === 'failed') return [`  ${paint(terminal, 'red', 'failed')}  ${step.id}  ${step.reason ?? ''}`];
  return [];
}
