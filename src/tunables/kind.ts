import type { Host, HostReader } from '../host/host.ts';
import type { Reading, Tunable } from './tunable.ts';

/** One write to one place; value in canonical spelling, null: make it not be there. */
export interface Write<T extends Tunable = Tunable> {
  readonly tunable: T;
  readonly value: string | null;
}

/** A value that a kind will not set, with the reason for people. */
export interface KindRefusal {
  readonly kind: 'unsupported' | 'refused' | 'conflict';
  readonly reason: string;
}

/** A text of the machine that is to read otherwise: of a file, or of what a command prints whose words begin so. */
export type Pretence = { readonly edit: (text: string) => string } & (
  | { readonly path: string }
  | { readonly argv: readonly string[] }
);

/** All that hft knows about one kind of place: how to read, spell and write it. Written once per kind. */
export interface TunableKind<T extends Tunable> {
  /** Lives across boots: journal records are synced one by one, and an undo acts after a reboot too. */
  readonly persistent: boolean;
  /** What is in effect now, in canonical spelling. Readers passed in may remember earlier reads. */
  read(reader: HostReader, tunable: T): Promise<Reading>;
  /** What the next boot will give, for what takes effect at boot only. When a kind has this, undo and comparison
   *  before a write look at it, and `read` tells whether a reboot is pending. */
  readStaged?(reader: HostReader, tunable: T): Promise<Reading>;
  /** `2,3` and `2-3` are one value: the spelling that comparison uses. Throws for text that is no value of this kind. */
  canonical(tunable: T, value: string): string;
  /** Writes that share a batch key and stand next to each other are made together (`ethtool -G rx 4096 tx 4096`:
   *  one link flap). Without it, each is made alone. */
  batchKey?(tunable: T): string;
  /** Why this value must not be set here although it could be (somebody else's setting is in the way); undefined when
   *  nothing is. Asked for what differs only. */
  refuse?(reader: HostReader, tunable: T, value: string | null): Promise<KindRefusal | undefined>;
  /** The tunable with what an undo has to know of the place and no value tells, read right before the intent is
   *  journaled. Without it, the tunable as it is. */
  remember?(reader: HostReader, tunable: T): Promise<T>;
  /** How what domains look at would read with this value, for places whose present value enters a wish (an interrupt
   *  stays where it is right already). A profile is planned as if hft had never changed them. */
  asIf?(tunable: T, value: string | null): readonly Pretence[];
  /** Another kind whose writes change this one along, and how what the kernel makes of it then is told from a change that
   *  somebody made. */
  readonly disturbedBy?: {
    readonly kind: Tunable['kind'];
    isReset(reader: HostReader, value: string): Promise<boolean>;
  };
  /** Whether a value is what an undo leaves that was cut off on its way back to the old value: ours, not somebody's change. */
  isHalfBack?(value: string): boolean;
  /** Whether a value is a failure that the kernel reports and nobody can write: an undo of its repair leaves it repaired. */
  isFailure?(value: string): boolean;
  /** Makes the writes of one batch. Throws HostError. The engine reads back: an exit code proves nothing. */
  write(host: Host, writes: readonly Write<T>[]): Promise<void>;
}
