/** What took a CPU away, and what is said of it. */
export type CauseKind =
  | 'irq'
  | 'softirq'
  | 'thread'
  | 'timer'
  | 'ipi'
  | 'tlb-shootdown'
  | 'page-fault'
  | 'nmi'
  | 'machine-check'
  | 'thermal'
  | 'throttling'
  | 'hypervisor-steal'
  | 'smi'
  | 'smt-sibling'
  | 'outside-kernel'
  | 'not-recorded';

/** A: events of osnoise. B: events of ftrace. C: counters before and after. D: only when the gaps came. */
export type Tier = 'A' | 'B' | 'C' | 'D';

/** One cause on one CPU, seen while it had the CPU. */
export interface Cause {
  /** For people: `ens1/rx-3`, `kcompactd0`, `softirq NET_RX`. */
  readonly cause: string;
  readonly kind: CauseKind;
  readonly cpu: number;
  /** How often. A thread that was preempted in a gap and went on counts once (tier A: each time). */
  readonly count: number;
  /** Net: what interrupted it in turn is counted there. */
  readonly totalNs: number;
  readonly maxNs: number;
  /** The kernel said so. Not of time in which it saw nothing or recorded nothing. */
  readonly explained: boolean;
  /** The id of the setting that removes it: `irq.affinity@ens1/rx-3`. */
  readonly fix?: string;
  /** What else helps, or why no setting does. */
  readonly advice?: string;
  /** Of a thread: how often it touched memory that was not there, which is in its time. Tier B. */
  readonly pageFaults?: number;
  /** Of realtime throttling: the threads that ran because of it, in its time, the longest first. Tier B. */
  readonly letRun?: readonly string[];
}

/** What may have been a cause: it happened on the CPU in the same time, and nobody saw it in a gap. */
export interface Candidate {
  readonly cause: string;
  readonly kind: CauseKind;
  readonly cpu: number;
  /** How often in the run, where that is counted. */
  readonly count?: number;
  /** What it took in the run, where that is counted. */
  readonly totalNs?: number;
  /** What was read: `/proc/interrupts LOC +2500`. */
  readonly evidence: string;
  readonly fix?: string;
  readonly advice?: string;
}

/** Something that had the CPU, once. */
export interface Occurrence {
  readonly kind: CauseKind;
  readonly name: string;
  /** Of a device's interrupt. */
  readonly irq?: number;
  /** As in Cause; they grow while it has the CPU. Of threads that were let run, the ticks of each. */
  pageFaults?: number;
  letRun?: Map<string, number>;
}

/**
 * A part of a gap and who had the CPU in it. Pieces never overlap, so their sums are net times. One without length: it had the CPU,
 * and nobody knows how long. Ticks since the epoch.
 */
export interface Piece {
  /** Index of the gap. */
  readonly gap: number;
  readonly start: number;
  readonly end: number;
  readonly occurrence: Occurrence;
}

/** Gaps in ticks since the epoch of the run's clock: exact for a month, where ticks since boot are not. */
export interface GapTicks {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}
