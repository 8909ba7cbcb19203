import { intersection, printCpulist } from '../topology/cpulist.ts';
import type { Partition } from './isolated.ts';

/** Where cgroup v2 is mounted, and the partition in it, as /proc/PID/cgroup has it (src/tuning/isolation). */
export const CGROUPS = '/sys/fs/cgroup';
export const PARTITION = '/hft.slice';

/** What a process has of the cpuset partition: threads on these CPUs are put into its cgroup, the others into the root cgroup, its domain. */
export interface PlacedPartition {
  readonly cgroup: string;
  readonly cpus: readonly number[];
}

/** undefined: none of the process's own CPUs is in a partition that takes single threads. */
export function placeInPartition(
  own: readonly number[],
  partition: Partition | undefined,
): PlacedPartition | undefined {
  if (partition === undefined || !partition.isThreaded) return undefined;
  const cpus = intersection(own, partition.cpus);
  return cpus.length === 0 ? undefined : { cgroup: PARTITION, cpus };
}

/** As hft-probe takes it: `/sys/fs/cgroup:/hft.slice:2-3`. */
export function printPartition({ cgroup, cpus }: PlacedPartition): string {
  return `${CGROUPS}:${cgroup}:${printCpulist(cpus)}`;
}
