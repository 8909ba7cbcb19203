import type { Machine } from '../topology/machine.ts';

/**
 * The CPU roles. Every online CPU is in exactly one of housekeeping, irq, isolated and offline; the sets are disjoint
 * and ascending.
 */
export interface Layout {
  readonly housekeeping: readonly number[];
  /** CPUs that serve the interrupts of the trading NIC; empty when they are served by housekeeping CPUs. */
  readonly irq: readonly number[];
  readonly isolated: readonly number[];
  /** CPUs that are online now and that the profile wants offline: the other hardware threads of isolated cores. */
  readonly offline?: readonly number[];
  /** The trading NIC that the layout is built around, when there is one. */
  readonly nic: string | undefined;
  /** Why this NIC, or why none: one sentence. */
  readonly nicWhy?: string;
  /** Why each CPU has its role; every CPU of the machine, offline ones too, is in exactly one entry. */
  readonly reasons: readonly LayoutReason[];
  /** What was asked for and cannot work, with the reason (CPU 0 isolated …). */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

export interface LayoutReason {
  readonly cpus: readonly number[];
  readonly role: 'housekeeping' | 'irq' | 'isolated' | 'offline';
  readonly why: string;
}

/** A machine with its roles decided: what every domain decides from. */
export interface PlacedMachine extends Machine {
  readonly layout: Layout;
}
