import type { Placement } from './placement.ts';
import type { ProcessWanted } from './schema.ts';

/** What is to run on a host: written by whoever asks, read by the supervisor, which makes it so. */
export interface LaunchOrder {
  readonly deployment: string;
  /** The file that it was read from. */
  readonly file: string;
  /** ISO 8601 */
  readonly time: string;
  /** The boot whose gate it passed: in the next one nothing is started by it. */
  readonly bootId: string;
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
  readonly wanted: ProcessWanted;
}

/** Whether a running process would be started in the same way. Its goal and when it was asked for do not count. */
export function isSameProcess(left: OrderedProcess, right: OrderedProcess): boolean {
  const definition = ({ start, check, threads, wanted }: OrderedProcess) =>
    JSON.stringify([start, check, threads, wanted.restart, wanted.stop, wanted.health, wanted.requires, wanted.after]);
  return definition(left) === definition(right);
}
