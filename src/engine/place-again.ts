import { HostError } from '../errors.ts';
import { rememberingReader } from '../host/memo.ts';
import { kindOf } from '../tunables/kinds.ts';
import { type Applying, intent, type PlannedStep } from './apply.ts';
import { canonicalOrNull } from './compare.ts';
import { holds, readLiving } from './undo.ts';

/**
 * Some drivers (virtio_net) place all their interrupts anew whenever a CPU or a queue comes or goes: those that this run
 * had placed before are placed again. A newer intent makes the place this run's own until it is done, whatever a kill leaves there.
 */
export async function placeAgain({ host, journal }: Applying, made: readonly PlannedStep[]): Promise<void> {
  const reader = rememberingReader(host);
  for (const step of made.filter(({ tunable }) => tunable.kind === 'irq-affinity')) {
    const reading = await readLiving(reader, step);
    if (reading.status !== 'value' || holds(reading, step.tunable, step.to)) continue;
    await journal.note(intent(step));
    try {
      await kindOf(step.tunable).write(host, [{ tunable: step.tunable, value: step.to }]);
    } catch (error) {
      // What is there then is told as drift.
      if (!(error instanceof HostError)) throw error;
    }
    const after = await readLiving(host, step);
    const reported = after.status === 'value' ? canonicalOrNull(step.tunable, after.value) : null;
    await journal.note({ type: 'done', step: step.step, reported });
  }
}
