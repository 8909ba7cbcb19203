import { isSubset, printCpulist } from '../topology/cpulist.ts';
import type { Partition } from './isolated.ts';
import type { Judged } from './judged.ts';
import type { PlacedProcess } from './placement.ts';

/**
 * Whether the partition in which a process has threads still isolates their CPUs. The kernel makes one invalid by itself when another cgroup
 * takes its CPUs, or the last of them goes offline; the threads stay in it, and run among all others.
 */
export function judgePartition(placed: PlacedProcess, partition: Partition | undefined): Judged[] {
  if (placed.partition === undefined) return [];
  const { cgroup, cpus } = placed.partition;
  const base = { id: `processes.partition@${placed.name}`, domain: placed.name, expected: 'isolated' };
  if (partition === undefined)
    return [
      { ...base, status: 'fail', actual: 'none', evidence: `${cgroup} is no cpuset partition any more: ${REPAIR}` },
    ];
  const { state } = partition;
  if (state !== 'isolated')
    return [{ ...base, status: 'fail', actual: state, evidence: `${cgroup}/cpuset.cpus.partition: ${REPAIR}` }];
  const has = printCpulist(partition.cpus);
  if (isSubset(cpus, partition.cpus))
    return [{ ...base, status: 'pass', actual: state, evidence: `${cgroup} has CPUs ${has} in effect` }];
  const evidence = `${cgroup} has ${has === '' ? 'no CPUs' : `CPUs ${has}`} in effect, not ${printCpulist(cpus)}: ${REPAIR}`;
  return [{ ...base, status: 'fail', actual: `isolated with ${has || 'no CPUs'}`, evidence }];
}

const REPAIR = '`hft verify settings` says what stands against it, `hft tune` makes it again';
