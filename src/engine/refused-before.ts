import { placeOf } from '../tunables/place.ts';
import { canonicalOrNull } from './compare.ts';
import type { Run, Step } from './journal.ts';
import type { Change, Plan } from './plan.ts';

/** What was tried in this boot and did not take, by its place. */
export type RefusedBefore = ReadonlyMap<string, { readonly run: Run; readonly step: Step }>;

/** From the journal. A reboot can bring another kernel or driver, so what an earlier boot refused counts for nothing. */
export function findRefusedBefore(runs: readonly Run[], bootId: string | undefined): RefusedBefore {
  const refused = new Map<string, { run: Run; step: Step }>();
  for (const run of runs.filter((each) => each.result !== 'undone' && each.begin.bootId === bootId)) {
    for (const step of run.steps) {
      if (step.status === 'skipped') refused.set(placeOf(step.tunable), { run, step });
      else refused.delete(placeOf(step.tunable));
    }
  }
  return refused;
}

/** Errors that tell of the moment, not of the machine. */
const TRANSIENT = ['EAGAIN', 'EBUSY', 'EINTR', 'ENETDOWN', 'ENOMEM', 'ENOSPC', 'ETIMEDOUT'];

/**
 * A change that the kernel refused when it was tried, from this value to that one, is no change to plan but a refusal with
 * the kernel's reason. `retries`: what only the moment stood against is planned again.
 */
export function withoutRefused(
  change: Change,
  refused: RefusedBefore,
  retries: boolean,
): Change | Plan['refused'][number] {
  const { setting, domain, desired } = change;
  const before = refused.get(placeOf(setting.tunable));
  if (before === undefined) return change;
  const { run, step } = before;
  const from = change.staged === undefined ? change.current : change.staged;
  const spell = (value: string | null) => canonicalOrNull(setting.tunable, value);
  if (spell(step.to) !== desired || spell(step.from) !== from) return change;
  const isOfTheMoment = step.code !== undefined && TRANSIENT.includes(step.code);
  const said = `Refused in run ${run.run}: ${step.reason ?? 'no reason was journaled'}.`;
  if (isOfTheMoment && retries)
    return { ...change, setting: { ...setting, why: `${setting.why} ${said} Tried again.` } };
  const next = isOfTheMoment ? 'The next `hft tune` tries it again.' : 'It is tried again after a reboot.';
  return { id: setting.id, domain, kind: 'unsupported', reason: `${said} ${next}` };
}
