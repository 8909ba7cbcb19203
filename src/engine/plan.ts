import type { Tunable } from '../tunables/tunable.ts';
import type { Bystander, Disruption, Refusal, Setting } from '../tuning/domain.ts';

/** One difference between the machine and its profile. */
export interface Change {
  readonly setting: Setting;
  readonly domain: string;
  /** What the machine has now; null: nothing there. */
  readonly current: string | null;
  /** What the next boot would give; undefined when the tunable does not live across boots. */
  readonly staged: string | null | undefined;
  readonly desired: string | null;
  readonly takesEffect: 'now' | 'reboot';
  readonly disruption: Disruption;
  /** The reading that `current` comes from. */
  readonly evidence: string;
  /** What is moved first, since the kernel would change it along. */
  readonly bystanders?: readonly MovedBystander[];
}

/** An affinity that is set right before the change that would break it. */
export interface MovedBystander {
  readonly bystander: Bystander;
  readonly from: string;
  readonly to: string;
}

export interface Satisfied {
  readonly setting: Setting;
  readonly domain: string;
  readonly current: string | null;
  readonly evidence: string;
  /** Staged for the next boot and not in effect yet. */
  readonly pendingReboot: boolean;
}

export interface Unread {
  readonly setting: Setting;
  readonly domain: string;
  readonly code: string;
  readonly evidence: string;
}

/** A place that an earlier run changed, the profile has no wish for, and somebody else changed since. */
export interface Kept {
  readonly id: string;
  readonly domain: string;
  readonly tunable: Tunable;
  readonly found: string | null;
  readonly reason: string;
}

export interface Plan {
  readonly profile: string;
  readonly host: string;
  readonly bootId: string | undefined;
  readonly layout: { readonly housekeeping: string; readonly irq: string; readonly isolated: string };
  readonly changes: readonly Change[];
  readonly satisfied: readonly Satisfied[];
  readonly refused: readonly (Refusal & { readonly domain: string })[];
  /** Could not be read (needs root …): never counted as right. */
  readonly unread: readonly Unread[];
  /** Left as somebody else changed it, and hft's no more once the plan is applied. */
  readonly kept: readonly Kept[];
  /** A reboot is needed before everything is in effect. */
  readonly reboot: boolean;
}
