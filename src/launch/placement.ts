import type { Problem } from '../profile/problem.ts';
import type { PlacedBypass } from './bypass.ts';
import type { PlacedPartition } from './partition.ts';
import type { Policy } from './schema.ts';
import type { ThreadKey } from './thread-key.ts';

/** Which thread goes where on one host, and why. Plain data: `hft place --json` is made of it. */
export interface Placement {
  readonly deployment: string;
  readonly host: string;
  /** Where the CPU roles come from: one phrase. */
  readonly roles: string;
  /** In the order in which they are started. */
  readonly processes: readonly PlacedProcess[];
  /** Isolated CPUs that nobody has. */
  readonly free: readonly number[];
  /** What is right and yet worth knowing. */
  readonly notes: readonly Note[];
  /** What `hft launch` would refuse on this host as it is: programs, users and folders that are not there. */
  readonly missing: readonly Problem[];
  /** What was not looked at, and why. */
  readonly unknown: readonly string[];
}

export interface Note {
  /** `market-data`, `market-data/md-rx`. */
  readonly about: string;
  readonly text: string;
}

export interface PlacedProcess {
  readonly name: string;
  readonly why: string | undefined;
  /** CPUs that it has to itself, ascending. */
  readonly own: readonly number[];
  /** What of its own CPUs a cpuset partition isolates; undefined: nothing, they are isolated at boot or not at all. */
  readonly partition?: PlacedPartition;
  /** Hardware threads beside its own CPUs that stay idle. */
  readonly idle: readonly number[];
  /** Where it starts, and where threads run that nothing is said of. */
  readonly rest: readonly number[];
  readonly threads: readonly PlacedThread[];
  readonly memory: PlacedMemory;
  /** The library that is loaded before it; undefined: none. */
  readonly bypass?: PlacedBypass;
}

export interface PlacedThread {
  readonly key: ThreadKey;
  /** As it is written: `md-rx`, `#0`, `*`. */
  readonly name: string;
  /** One set for each thread of this name; one set for all of `*`. */
  readonly cpus: readonly (readonly number[])[];
  /** Nothing else of the deployment runs on its CPUs. */
  readonly isAlone: boolean;
  readonly scheduling: Scheduling;
  readonly why: string;
}

export interface Scheduling {
  readonly policy: Policy;
  readonly priority?: number;
  readonly nice?: number;
  /** ns, of deadline. */
  readonly runtime?: number;
  readonly deadline?: number;
  readonly period?: number;
}

export interface PlacedMemory {
  readonly policy: 'default' | 'bind' | 'preferred' | 'interleave';
  readonly nodes: readonly number[];
  readonly lock: boolean;
  /** Pages by size: `2M`. */
  readonly hugepages: Readonly<Record<string, number>>;
  readonly why: string;
}
