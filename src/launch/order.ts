import type { Placement } from './placement.ts';
import type { ProcessWanted } from './schema.ts';

/** What is to run on a host: written by whoever asks, read by the supervisor, which makes it so. */
export interface LaunchOrder {
  /** Who makes it so: systemd, by units that hft wrote, or hft's own supervisor. */
  readonly engine: Engine;
  readonly deployment: string;
  /** The file that it was read from. */
  readonly file: string;
  /** ISO 8601 */
  readonly time: string;
  /** The profile by which the gate looks, a name or an absolute path; undefined: what is in force. */
  readonly profile: string | undefined;
  /** The boot whose gate it passed: in the next one nothing is started by it, unless the gate there lets it. */
  readonly bootId: string;
  /** Why the gate of this boot let nothing start, one sentence; undefined: it did. */
  readonly refused?: string | undefined;
  /** The journal's run that wrote its units; undefined: it has none. */
  readonly run?: string | undefined;
  /** none: it was started without a look at whether the host is as its profile wants it. */
  readonly gate: 'verify' | 'none';
  /** A thread that was moved is put back. */
  readonly heal: boolean;
  /** CPUs that processes have to themselves, by the profile. */
  readonly isolated: readonly number[];
  /** CPUs on which the supervisor runs. */
  readonly housekeeping: readonly number[];
  readonly placement: Placement;
  readonly processes: readonly OrderedProcess[];
}

export type Engine = 'systemd' | 'hft';

export interface OrderedProcess {
  readonly name: string;
  readonly goal: 'up' | 'down';
  /** Grows by one each time somebody asks for it: a process that stayed down is tried again. */
  readonly asked: number;
  /** What becomes the process, without its token. */
  readonly start: readonly string[];
  /** What becomes its health check; undefined: it has none. */
  readonly check: readonly string[] | undefined;
  /** Of `hft-probe place-threads`. */
  readonly threads: readonly string[];
  /** Without its variables, which can be secret: everybody may read an order. */
  readonly wanted: ProcessWanted;
  /** Where its variables are; undefined: it has none. */
  readonly environmentFile?: string | undefined;
}

/** Whether a running process would be started in the same way. Its goal and when it was asked for do not count. */
export function isSameProcess(left: OrderedProcess, right: OrderedProcess): boolean {
  const definition = ({ start, check, threads, wanted }: OrderedProcess) =>
    JSON.stringify([start, check, threads, wanted.restart, wanted.stop, wanted.health, wanted.requires, wanted.after]);
  return definition(left) === definition(right);
}
