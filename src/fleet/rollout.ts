/** By what an agent knows a request again: the plan that was shown, and the request to apply it. Both are UUIDs. */
export interface AskedRequest {
  readonly plan: string;
  readonly request: string;
}

export type HostOutcome =
  /** As the profile wants it, verified, and kept. */
  | 'done'
  /** Right but for a reboot, and kept. */
  | 'pending-reboot'
  /** It failed, and all of it was undone. */
  | 'undone'
  /** It failed, and not all of it could be undone. */
  | 'not-undone'
  /** Applied, and not as wanted; it was not confirmed where that was asked for. */
  | 'differs'
  /** Nothing was done: not reachable, refused, another plan than the one that was shown. */
  | 'failed'
  /** It was asked, and nobody knows how it ended. */
  | 'unknown';

export interface HostEnd {
  readonly outcome: HostOutcome;
  /** In words, without the name of the host. */
  readonly why: string;
  readonly next: readonly string[];
  /** The run in the journal of the host. */
  readonly run?: string | undefined;
}

/** A host of a rollout, with all that is needed to ask it again. */
export interface RolloutHost {
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly keys: readonly string[];
}

/** What was begun. `Wish` is what every host is asked for. */
export interface RolloutBegin<Wish> {
  readonly is: 'begin';
  readonly id: string;
  readonly time: string;
  readonly profile: string;
  readonly hosts: readonly RolloutHost[];
  /** Names. */
  readonly waves: readonly (readonly string[])[];
  readonly wish: Wish;
  /** The changes that somebody said yes to, by host: keys of `keysOfChanges`. */
  readonly shown: Readonly<Record<string, readonly string[]>>;
}

/** A line of the record of a rollout. */
export type RolloutRecord<Wish> =
  | RolloutBegin<Wish>
  | ({ readonly is: 'asked'; readonly host: string; readonly time: string } & AskedRequest)
  | ({ readonly is: 'ended'; readonly host: string; readonly time: string } & HostEnd);

export interface HostState {
  /** The last request to apply that may have reached it; undefined: none did, or its end is known. */
  readonly asked: AskedRequest | undefined;
  readonly end: HostEnd | undefined;
}

/** What the records say of each host; a line that a crash cut off is none. */
export function foldRecords<Wish>(records: readonly RolloutRecord<Wish>[]): ReadonlyMap<string, HostState> {
  const states = new Map<string, HostState>();
  for (const record of records) {
    if (record.is === 'asked') {
      const { plan, request } = record;
      states.set(record.host, { asked: { plan, request }, end: undefined });
    } else if (record.is === 'ended') {
      const { outcome, why, next, run } = record;
      // Whoever does not know how it ended asks the same request again.
      const asked = outcome === 'unknown' ? states.get(record.host)?.asked : undefined;
      states.set(record.host, { asked, end: { outcome, why, next, run } });
    }
  }
  return states;
}

/** What a later run need not do again. */
export function isSettled(end: HostEnd | undefined, reboots: boolean): boolean {
  return end?.outcome === 'done' || (end?.outcome === 'pending-reboot' && !reboots);
}

/** What makes a rollout stop when there are too many of them. */
export function isFailure({ outcome }: HostEnd): boolean {
  return outcome !== 'done' && outcome !== 'pending-reboot';
}

export const EXIT_CODES: Readonly<Record<HostOutcome | 'not-started', number>> = {
  done: 0,
  'pending-reboot': 5,
  'not-started': 1,
  differs: 1,
  undone: 3,
  failed: 3,
  'not-undone': 4,
  unknown: 4,
};

interface PlannedChange {
  readonly setting: { readonly id: string };
  readonly desired: string | null;
}

/** What a change sets to what: that is what somebody says yes to. What is there now may move meanwhile. */
export function keysOfChanges(changes: readonly PlannedChange[]): readonly string[] {
  return changes.map(({ setting, desired }) => JSON.stringify([setting.id, desired]));
}
