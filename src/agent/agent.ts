import type { ApplyProgress } from '../engine/apply.ts';
import type { PartInForce } from '../engine/in-force.ts';
import type { Plan } from '../engine/plan.ts';
import type { RollbackOutcome, RollbackRequest } from '../engine/rollback.ts';
import type { Scope, Wanted } from '../engine/scope.ts';
import type { Status } from '../engine/status.ts';
import type { TuneOutcome } from '../engine/tune.ts';
import type { Verification } from '../engine/verify.ts';
import type { Watched } from '../latency/attribution/watched.ts';
import type { LoadRequest } from '../latency/probe/load.ts';
import type { Measurement } from '../latency/probe/measure.ts';
import type { RespondRequest } from '../latency/probe/respond.ts';
import type { LatencyRecord } from '../latency/report/record.ts';
import type { PinnedThread } from '../launch/pinned.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import type { HostFacts } from '../topology/host-facts.ts';
import type { Machine } from '../topology/machine.ts';
import type { Adoption, AdoptionRequest } from './adopting.ts';
import type { BootReport } from './boot.ts';

export interface Planned {
  readonly plan: Plan;
  readonly machine: PlacedMachine;
}

export interface ApplyRequest {
  readonly wanted: Wanted;
  readonly scope?: Scope;
  readonly planned: Planned;
  /** Seconds until an unconfirmed change to the session's own interface is taken back by the host. */
  readonly confirmWithinS: number;
  /** The run is taken back by the host, when hft dies too, unless it is confirmed within that time. */
  readonly mustBeConfirmed?: boolean;
  /** Nobody asked for it: the agent sets again what had drifted. */
  readonly isHeal?: boolean;
  /** Ended by the signal, the answer is no. */
  readonly approve: (plan: Plan, signal?: AbortSignal) => Promise<boolean>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ApplyProgress) => void;
}

/** One variant of a probe; the agent knows where its hft-probe is. */
export interface ProbeRequest extends Omit<Measurement, 'program'> {
  /** Whether to record meanwhile who has the CPUs, where the probe can make use of it. */
  readonly seeksCauses: boolean;
  /** What else is to run meanwhile; undefined: nothing. */
  readonly load?: LoadRequest | undefined;
}

/** All that is done to a host. One interface: in process (embedded), and over a daemon's socket. */
export interface Agent {
  /** The plan, with the machine it was made from. Changes nothing. `retries`: with what the kernel refused before for a
   *  reason of the moment. */
  plan(wanted: Wanted, scope?: Scope, options?: { readonly retries: boolean }): Promise<Planned>;
  /** The facts of the host. Changes nothing. */
  machine(): Promise<Machine>;
  /** Threads of programs that may run on some of these CPUs and nowhere else. Changes nothing. */
  pinnedTo(cpus: readonly number[]): Promise<readonly PinnedThread[]>;
  apply(request: ApplyRequest): Promise<TuneOutcome>;
  /** Puts a profile in force that the host is as wanted by already, in place of another one, whose name is returned;
   *  undefined when no other one is in force. Changes nothing but the journal. */
  adopt(request: ApplyRequest): Promise<string | undefined>;
  /** Places the threads of a process that somebody else started. Throws UsageError before anything is changed. */
  adoptProcess(request: AdoptionRequest): Promise<Adoption>;
  /** Undoes what was cut off by a kill or a power cut; what was done is in the reports. */
  recover(): Promise<RollbackOutcome>;
  rollback(request: RollbackRequest): Promise<RollbackOutcome>;
  /** Keeps the run that waits; undefined when none does. */
  confirm(): Promise<string | undefined>;
  status(): Promise<Status>;
  /** What the unit at boot does: settles what was left open, and puts the profile in force back. */
  bringBack(scope: Scope): Promise<BootReport>;
  /** Starts an orderly reboot of the machine. */
  reboot(): Promise<void>;
  verify(wanted: Wanted, scope?: Scope): Promise<Verification>;
  /** Verifies what is in force as it was applied; undefined when nothing is. */
  verifyInForce(scope: Scope): Promise<Verification | undefined>;
  /** The profile that was put in force last, as it was applied, and what of it; of a domain: the one that governs it. undefined when
   *  none is. */
  inForce(domain?: string): Promise<PartInForce | undefined>;
  /** Runs a probe to its end, or to the abort of its signal. What it changes on the host ends with it. */
  probe(request: ProbeRequest): Promise<Watched>;
  /** Answers the `network` probe of other hosts until its signal. Changes nothing on the host. */
  respond(request: RespondRequest): Promise<void>;
  /** What the figures of this host are figures of. Changes nothing. */
  facts(): Promise<HostFacts>;
  /** Keeps a measurement as the last one. Throws HostError (EACCES without root). */
  keepLatency(record: LatencyRecord): Promise<void>;
  /** The last measurement that was kept; undefined when there is none. */
  lastLatency(): Promise<LatencyRecord | undefined>;
}
