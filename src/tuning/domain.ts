import type { z } from 'zod';
import type { HostReader } from '../host/host.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import type { Machine } from '../topology/machine.ts';
import type { IrqAffinityTunable, ThreadAffinityTunable, Tunable } from '../tunables/tunable.ts';

/** shape: changes what exists (queues, SMT, drivers). values: planned again on the machine after that. */
export type Stage = 'shape' | 'values';

/** What a change disturbs while it is made. */
export type Disruption = 'none' | 'link' | 'process' | 'reboot';

/**
 * A place that the kernel changes along with another: the interrupts of a CPU that goes offline, the kernel threads that
 * a new cpuset lets loose. It is moved first and journaled, so that it comes back with the change, whatever the kernel
 * made of it.
 */
export interface Bystander {
  readonly id: string;
  readonly tunable: IrqAffinityTunable | ThreadAffinityTunable;
  /** cpulist: it keeps what it has of these CPUs, and gets all of them when it has none. */
  readonly within: string;
  readonly interface?: string;
}

/** One wish for one place. Written once by a domain; compared, applied, verified and undone by the engine. */
export interface Setting {
  /** `domain.tunable@target`, stable across boots: `irq.affinity@ens1f0/rx-3`, never an IRQ number. */
  readonly id: string;
  readonly stage: Stage;
  readonly tunable: Tunable;
  /** In the tunable's canonical spelling; null: must not be there. */
  readonly value: string | null;
  /** One sentence for people. */
  readonly why: string;
  /** fail: the run fails and is undone when the kernel refuses it. skip: reported, the rest goes on. */
  readonly ifRefused: 'fail' | 'skip';
  readonly disruption: Disruption;
  /** The run whose change this takes back, for a place that the profile has no wish for. */
  readonly leftBy?: { readonly profile: string; readonly run: string };
  readonly bystanders?: readonly Bystander[];
  /** The network interface whose link or interrupts this change can disturb. */
  readonly interface?: string;
}

/** Something asked for that hft will not or cannot do here, with the reason. Never silent. */
export interface Refusal {
  readonly id: string;
  readonly reason: string;
  /**
   * unsupported: this kernel, driver or machine has no such knob. refused: possible, and wrong. conflict: somebody else's
   * setting is in the way. unknown: what would tell was not captured or cannot be read.
   */
  readonly kind: 'unsupported' | 'refused' | 'conflict' | 'unknown';
}

export interface Desired {
  readonly settings: readonly Setting[];
  readonly refused: readonly Refusal[];
}

/**
 * One area of tuning. `observe` reads and decides nothing; `desire` decides and reads nothing: no I/O, no clock.
 * Neither ever writes.
 */
export interface TuningDomain<Wanted = unknown, Facts = unknown> {
  readonly name: string;
  /**
   * Its part of the profile: the value of the profile key `name`. Each key described (`.describe`) for docs and editors.
   * Loaded when a profile is checked, and only then: making all schemas takes longer than deciding.
   */
  schema(): Promise<z.ZodType<Wanted>>;
  /** `wanted` only tells where to look: facts do not depend on what is wanted to be there. */
  observe(host: HostReader, machine: Machine, wanted?: Wanted): Promise<Facts>;
  desire(wanted: Wanted, facts: Facts, machine: PlacedMachine): Desired;
}

/** Gives the compiler both type parameters of a domain and hides them from the list of all domains. */
export function defineDomain<Wanted, Facts>(domain: TuningDomain<Wanted, Facts>): TuningDomain {
  return domain as unknown as TuningDomain;
}
