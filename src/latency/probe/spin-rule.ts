import { printCpulist } from '../../topology/cpulist.ts';
import type { Variant } from './probe.ts';

/**
 * A thread that spins takes its CPU from everything else. The last housekeeping CPU is never taken: without one the kernel's own
 * threads, sshd and hft wait. Returns why the variant is refused, undefined when it may run.
 */
export function refuseToSpin(variant: Variant, housekeeping: readonly number[]): string | undefined {
  if (!variant.spins) return undefined;
  const busy = variant.spinning ?? variant.cpus;
  const left = housekeeping.filter((cpu) => !busy.includes(cpu));
  if (left.length > 0) return undefined;
  return (
    `It would keep CPUs ${printCpulist(busy)} busy all the time and leave none of the housekeeping CPUs ` +
    `(${printCpulist(housekeeping) || 'none'}) to the system. Give fewer CPUs, or isolate some.`
  );
}

/** The CPU of the probe's control thread: a housekeeping CPU that does not measure. undefined when there is none. */
export function controlCpuFor(variant: Variant, housekeeping: readonly number[]): number | undefined {
  return housekeeping.find((cpu) => !variant.cpus.includes(cpu));
}
