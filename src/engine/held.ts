import { kindOf } from '../tunables/kinds.ts';
import { placeOf } from '../tunables/place.ts';
import { canonicalOrNull } from './compare.ts';
import type { Run, Step } from './journal.ts';
import { domainOf } from './scope.ts';

/** One change of a run that is in force. */
export interface HeldChange {
  readonly run: Run;
  readonly step: Step;
}

/** A place that hft changed and that nothing took back since. */
export interface HeldPlace {
  readonly place: string;
  /** Newest first, never empty. */
  readonly changes: readonly [HeldChange, ...HeldChange[]];
}

/**
 * The places that hft has in its hands, the one that was changed last first: the order in which they can be put back.
 * What ended with an earlier boot, was undone, or was left to somebody else is not among them.
 */
export function findHeld(runs: readonly Run[], bootId: string | undefined): readonly HeldPlace[] {
  const places = new Map<string, HeldPlace>();
  for (const run of runs.filter((each) => each.result !== 'undone')) {
    for (const { tunable } of run.released) places.delete(placeOf(tunable));
    for (const step of run.steps) {
      const lives = step.persistent || run.begin.bootId === bootId;
      if (step.status !== 'done' || !lives) continue;
      const place = placeOf(step.tunable);
      const older = places.get(place)?.changes ?? [];
      // Taken out first: a Map keeps the order in which keys came in.
      places.delete(place);
      places.set(place, { place, changes: [{ run, step }, ...older] });
    }
  }
  return [...places.values()].reverse();
}

/** The domain that had a place changed; for a bystander the one that had the change made. */
export function ownerOf({ changes }: HeldPlace): string {
  const { step } = changes[0];
  return domainOf(step.beside ?? step.id);
}

export interface Unwound {
  /** What the place would hold if hft had never changed it. */
  readonly value: string | null;
  /** Somebody changed it after hft's last change: it is theirs. */
  readonly isForeign: boolean;
  /** The change whose old value that is; it knows what else it made (the folders of a file). */
  readonly origin: Step;
}

/** What undoing the changes, newest first, makes of the value that was found. The same judgement as an undo makes. */
export function unwind({ changes }: HeldPlace, found: string | null): Unwound {
  const [{ step: newest }] = changes;
  let value = found;
  let origin = newest;
  for (const { step } of changes) {
    if (value !== canonicalOrNull(step.tunable, step.reported ?? null)) continue;
    // A failure was repaired: what it would be without hft is what was before it failed.
    if (step.from !== null && kindOf(step.tunable).isFailure?.(step.from) === true) continue;
    value = canonicalOrNull(step.tunable, step.from);
    origin = step;
  }
  const known = [newest.from, newest.reported ?? null].map((each) => canonicalOrNull(newest.tunable, each));
  return { value, origin, isForeign: !known.includes(found) };
}

/** The places that hft's own last write left changed; what was given back in a later run is not. */
export function isChanged(held: HeldPlace): boolean {
  const { step } = held.changes[0];
  const left = canonicalOrNull(step.tunable, step.reported ?? null);
  return unwind(held, left).value !== left;
}
