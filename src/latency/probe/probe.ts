import type { Block, Gaps } from './block.ts';
import type { Skew } from './meta.ts';
import type { ProbeRun } from './run.ts';

/**
 * A probe: what can be measured, as data. It starts nothing and reads nothing; src/latency/probe/measure.ts runs its variants, and
 * its report is pure. One folder each, src/latency/index.ts is the list.
 */
export interface Probe {
  /** As hft-probe calls it. */
  readonly name: string;
  /** One sentence for people. */
  readonly what: string;
  /** The quick suite has it only when it is named. */
  readonly onlyInFull?: boolean;
  /** A person may choose the policy of its threads; the others have SCHED_OTHER. */
  readonly hasScheduler?: boolean;
  /** What it measures on; two CPUs when left out. Without these it has no variants. */
  readonly needs?: string;
  /** What must be named for it to have variants: a sentence for who did not. */
  readonly needsServer?: string;
  /** The ways to run it on these CPUs; none when they are too few. */
  variants(request: VariantRequest): readonly Variant[];
  report(run: ProbeRun, variant: Variant): ProbeReport;
  /** Of a probe that lists its gaps, which can be joined with what the kernel did then. */
  stolen?(run: ProbeRun): readonly StolenTime[];
}

/** The time that was taken from one CPU. */
export interface StolenTime {
  readonly cpu: number;
  readonly exposureNs: number;
  /** Of the exposure, 0 to 1. */
  readonly stolenShare: number;
  /** The largest of them, in raw ticks. */
  readonly gaps: Gaps;
}

export interface VariantRequest {
  /** Those to be measured: the isolated ones, where there are any. */
  readonly cpus: readonly number[];
  readonly suite: 'quick' | 'full';
  /** Servers that the person named, by probe; the others are started for the run. */
  readonly servers?: Servers;
  /** One of `cpus` of each physical core; undefined: nothing is known of cores. */
  readonly coreCpus?: readonly number[];
  /** A file of arrivals that the person gave. */
  readonly pattern?: string | undefined;
  /** The policy that the person chose: fifo is priority 1. */
  readonly scheduler?: Scheduler | undefined;
  /** An interface on which packets may be taken past the kernel's stack. */
  readonly xdp?: string | undefined;
}

export const SCHEDULERS = ['other', 'fifo'] as const;
export type Scheduler = (typeof SCHEDULERS)[number];
/** Above its priority 1 a thread could keep the kernel's own from finishing what it waits for. */
export const POLICIES = { other: 'other', fifo: 'fifo:1' } as const satisfies Record<Scheduler, Variant['policy']>;

/** By probe: `unix:/path`, `127.0.0.1:6379` or `[::1]:6379`: numbers alone, as hft-probe reads them. Of `network` the peer. */
export type Servers = Readonly<Partial<Record<string, string>>>;

/** One way to run a probe. */
export interface Variant {
  /** Unique within its probe: `fifo:1 dma-latency 0`; empty for the only one. */
  readonly name: string;
  /** In the order that the probe needs: the sender first. */
  readonly cpus: readonly number[];
  /** Its threads keep their CPUs busy all the time. */
  readonly spins: boolean;
  /** Which of its CPUs are busy all the time; all of them when left out. */
  readonly spinning?: readonly number[];
  readonly policy: 'other' | `fifo:${number}`;
  /** Held in /dev/cpu_dma_latency while it runs; undefined: left alone. */
  readonly dmaLatencyUs?: number;
  /** The probe's own options, without the dashes. */
  readonly options: Readonly<Record<string, string | number>>;
}

export interface ProbeReport {
  readonly probe: string;
  readonly variant: string;
  readonly floor: Floor;
  readonly measures: readonly Measure[];
  readonly findings: readonly Finding[];
}

/** What the run itself could not see below, measured by it. */
export interface Floor {
  readonly clock: 'tsc' | 'cntvct' | 'raw';
  readonly quantumNs: number;
  readonly readNs: number;
  readonly orderedReadNs: number;
  readonly recordNs: number;
  readonly loopNs: number;
  /** Between the calibrations at the start and over the run, and how far that itself can be off. */
  readonly driftPpm: number;
  readonly driftErrorPpm: number;
  /** Between the two CPUs, where there are two. */
  readonly skew?: Skew;
}

/** One row of results: a stream of samples and what they are. */
export interface Measure {
  readonly name: string;
  /** What of it, where a probe has several: a pattern of ZeroMQ, a command of Redis, a stage of the pipeline. */
  readonly part?: string;
  /** Whose latency it is, where it is not hft-probe's own code: `redis 7.0.15`. */
  readonly software?: string;
  readonly server?: MeasuredServer;
  /** Made-up work was done: it says what the host could do for an application, not what one does. */
  readonly isSynthetic?: boolean;
  /** A part of the time of another measure of the same run, not of what was asked for. */
  readonly isSplit?: boolean;
  readonly peer?: MeasuredPeer;
  /** Where samples were taken; for two CPUs the sender first. */
  readonly cpus: readonly number[];
  readonly direction: 'none' | 'one-way' | 'round-trip';
  readonly payloadBytes?: number;
  readonly pacing: Pacing;
  /** How the waiting side waits. */
  readonly wait: 'spin' | 'block' | 'sleep';
  /** latency: each sample is one. gap: each is a time without the CPU; what a packet suffers is the random-arrival delay. */
  readonly samples: 'latency' | 'gap';
  /** open: free of coordinated omission, judged. closed: one after the other, shown beside it. service: cyclictest's rule. */
  readonly rule: 'open' | 'closed' | 'service';
  readonly blocks: readonly Block[];
  /** The time that the blocks cover. */
  readonly exposureNs: number;
}

export interface MeasuredServer {
  readonly address: string;
  /** Started for the run, and gone after it. */
  readonly isOwn: boolean;
  /** Requests in one write; a sample ends with the last reply. */
  readonly pipeline: number;
}

/** Another host, or this one as another. */
export interface MeasuredPeer {
  readonly address: string;
  /** How it waits for messages, and on which of its CPUs. */
  readonly wait: 'spin' | 'block';
  readonly cpu: number;
  /** The version of hft there. */
  readonly version: string;
  /** Both ends are on one kernel. */
  readonly isSameKernel: boolean;
  /** It answered past its kernel's stack. */
  readonly isPastKernel: boolean;
  /** Who took the times: program, or the stamps of kernel or card at both ends. */
  readonly timestamps: 'program' | 'kernel' | 'card';
  /** Of one way: the figures are right within this, beside what their intervals say. */
  readonly clockErrorNs?: number;
}

export type Pacing =
  | { readonly kind: 'saturated' }
  /** pattern: in bursts, periodNs apart on average. */
  | { readonly kind: 'periodic' | 'pattern'; readonly periodNs: number };

/** What is to be known of a run beside its figures. */
export interface Finding {
  readonly kind:
    | 'cut'
    | 'clock-drift'
    | 'clock-backwards'
    | 'clock-raw'
    | 'clock-skew'
    | 'wrong-cpu'
    | 'control-shared'
    | 'memory-unlocked'
    | 'page-faults'
    | 'gaps-lost'
    | 'clock-slow'
    | 'periods-overdue'
    | 'rate-not-kept'
    | 'messages-dropped'
    | 'messages-damaged'
    | 'messages-reordered'
    | 'messages-repeated'
    | 'strangers'
    | 'peer-waits'
    | 'peer-silent'
    | 'same-kernel'
    | 'stamps-missing'
    | 'past-kernel'
    | 'card-stamps'
    | 'clock-set'
    | 'one-way-unproven'
    | 'one-way'
    | 'threads-share-cpu'
    | 'key-left'
    | 'synthetic'
    | 'rings-full'
    | 'cpus-shared';
  /** One sentence for people. */
  readonly text: string;
  /** The figures must not be judged. */
  readonly invalidates: boolean;
}

export function exposureOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { durationNs }) => sum + durationNs, 0);
}
