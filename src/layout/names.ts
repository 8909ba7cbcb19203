import { printCpulist } from '../topology/cpulist.ts';

/** `CPU 3`, `CPUs 0-3,8`, for messages. */
export function nameCpus(cpus: readonly number[]): string {
  return `${cpus.length === 1 ? 'CPU' : 'CPUs'} ${printCpulist(cpus)}`;
}
