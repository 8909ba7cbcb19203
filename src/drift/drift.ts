/** Between which two looks something happened, ISO 8601. */
export interface Between {
  /** The last look, or hft run, that saw it as it was before; null: nobody looked before. */
  readonly after: string | null;
  readonly by: string;
}

/** Who likely changed it. */
export interface Suspect {
  readonly who: string;
  /** likely: seen to act at that time. possible: it runs, and does such things. */
  readonly certainty: 'likely' | 'possible';
  readonly evidence: string;
}

/** What can be done about it. */
export interface Remedy {
  /** Of the plan: what `hft tune` would do. */
  readonly disruption: 'none' | 'link' | 'process' | 'reboot';
  readonly takesEffect: 'now' | 'reboot';
  /** allowed: by the profile. no: it is not, or it would disturb something. supervised: whoever launched the process puts it back. */
  readonly heal: 'allowed' | 'no' | 'supervised';
}

/** A setting that is not as it has to be, as one look saw it. */
export interface Sighting {
  readonly id: string;
  readonly domain: string;
  readonly wanted: string | null;
  readonly is: string | null;
  readonly evidence: string;
  readonly remedy: Remedy;
}

/** A setting that drifted. */
export interface Drifted extends Sighting {
  /** What was there before; null: nobody saw it, or nothing was there. */
  readonly was: string | null;
  readonly since: Between;
  /** Empty: unknown. */
  readonly suspects: readonly Suspect[];
  /** It was healed as often as the profile allows, and came again. */
  readonly isBroken: boolean;
}

/** How a drift ended. itself: neither hft's heal nor another run of hft did it. not-wanted: nothing in force asks for it any more. */
export type Ending = 'itself' | 'healed' | 'run' | 'not-wanted';

export interface Ended extends Drifted {
  readonly how: Ending;
  readonly ended: Between;
}

export interface DriftState {
  /** By id. */
  readonly drifted: Readonly<Record<string, Drifted>>;
  /** Newest last. */
  readonly ended: readonly Ended[];
  /** ISO 8601 of the last looks; null: none. A whole look sees what a quick one sees, too. */
  readonly looked: { readonly quick: string | null; readonly whole: string | null };
}

export const NO_DRIFT: DriftState = { drifted: {}, ended: [], looked: { quick: null, whole: null } };

/** What one look saw. */
export interface DriftLook {
  /** ISO 8601 */
  readonly time: string;
  readonly is: 'quick' | 'whole';
  /** Ids that it looked at and that something in force has a wish for, right ones too. A whole look knows all that are wanted. */
  readonly seen: ReadonlySet<string>;
  /** Ids that a quick look sees: of the others only whole looks know when they were right. */
  readonly quick: ReadonlySet<string>;
  readonly differing: readonly Sighting[];
  /** Since when the profile is in force, ISO 8601: until then nothing can have drifted from it. */
  readonly inForceSince: string | null;
  /** Settings that hft set since the last look, with who had it done. */
  readonly set: ReadonlyMap<string, 'healed' | 'run'>;
}

export type DriftEvent =
  | { readonly is: 'drift'; readonly drift: Drifted }
  | { readonly is: 'ended'; readonly drift: Ended };

/** So many that ended are kept to be shown. */
const MOST_ENDED = 32;

/** What a look makes of what was known. Pure. */
export function advanceDrift(
  state: DriftState,
  look: DriftLook,
): { readonly state: DriftState; readonly events: readonly DriftEvent[] } {
  const found = new Map(look.differing.map((sighting) => [sighting.id, sighting]));
  const drifted: Record<string, Drifted> = {};
  const events: DriftEvent[] = [];
  for (const known of Object.values(state.drifted)) {
    if (found.has(known.id)) continue;
    const how = endingOf(known, look);
    if (how === undefined) drifted[known.id] = known;
    else
      events.push({
        is: 'ended',
        drift: { ...known, how, ended: { after: lastLook(state, look, known.id), by: look.time } },
      });
  }
  for (const sighting of found.values()) {
    const known = state.drifted[sighting.id];
    if (known !== undefined && known.is === sighting.is) {
      // What can be done about it, and what is wanted, may be new.
      drifted[sighting.id] = { ...known, ...sighting };
      continue;
    }
    const drift = begin(state, look, sighting);
    drifted[sighting.id] = drift;
    events.push({ is: 'drift', drift });
  }
  const ended = [...state.ended, ...events.flatMap((event) => (event.is === 'ended' ? [event.drift] : []))];
  const looked = { ...state.looked, [look.is]: look.time };
  return { state: { drifted, ended: ended.slice(-MOST_ENDED), looked }, events };
}

/** undefined: this look cannot tell, so it goes on. */
function endingOf({ id }: Drifted, look: DriftLook): Ending | undefined {
  if (look.seen.has(id)) return look.set.get(id) ?? 'itself';
  return look.is === 'whole' && !id.startsWith(PROCESSES) ? 'not-wanted' : undefined;
}

/** Processes are seen by quick looks alone. */
const PROCESSES = 'processes.';

function begin(state: DriftState, look: DriftLook, sighting: Sighting): Drifted {
  const known = state.drifted[sighting.id];
  const seenBefore = lastLook(state, look, sighting.id);
  const isFirst = seenBefore === null;
  return {
    ...sighting,
    was: known !== undefined ? known.is : isFirst ? null : sighting.wanted,
    since: { after: later(seenBefore, look.inForceSince), by: look.time },
    suspects: [],
    isBroken: known?.isBroken ?? false,
  };
}

/** The last look that would have seen it. */
function lastLook({ looked }: DriftState, look: DriftLook, id: string): string | null {
  return look.quick.has(id) ? later(looked.quick, looked.whole) : looked.whole;
}

function later(left: string | null, right: string | null): string | null {
  if (left === null || right === null) return left ?? right;
  return left > right ? left : right;
}
