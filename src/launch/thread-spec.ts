import { printCpulist } from '../topology/cpulist.ts';
import { printPartition } from './partition.ts';
import type { PlacedProcess, PlacedThread, Scheduling } from './placement.ts';
import { rankKey } from './thread-key.ts';

/** What `hft-probe place-threads` is told of a process, beside its pid: where its partition is, and where each thread belongs. */
export function placeArguments({ partition, threads }: Pick<PlacedProcess, 'partition' | 'threads'>): string[] {
  const options = partition === undefined ? [] : ['--partition', printPartition(partition)];
  return [...options, ...printThreadSpecs(threads)];
}

/**
 * What `hft-probe place-threads` is told of a thread: `md-rx=4:fifo:48`, `gateway-*=2/4/6/8:other:0`, `*=0-1:other:0`. A CPU set
 * for each thread of the name, the policy, and its number (priority or nice; runtime/deadline/period in ns). The specifications
 * come in the order in which keys count: exact names, start order, patterns, the rest.
 */
export function printThreadSpecs(threads: readonly PlacedThread[]): string[] {
  const ordered = [...threads].sort((left, right) => rankKey(left.key) - rankKey(right.key));
  return ordered.map(({ name, cpus, scheduling }) => {
    const sets = cpus.map((set) => printCpulist(set)).join('/');
    return `${name}=${sets}:${scheduling.policy}:${printNumber(scheduling)}`;
  });
}

function printNumber({ policy, priority, nice, runtime, deadline, period }: Scheduling): string {
  if (policy === 'deadline') return `${runtime}/${deadline}/${period}`;
  return String((policy === 'fifo' || policy === 'rr' ? priority : nice) ?? 0);
}
