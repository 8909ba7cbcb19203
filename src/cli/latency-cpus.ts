import { UsageError } from '../errors.ts';
import { type ChosenCpus, housekeepingCpus } from '../latency/probe/choose-cpus.ts';
import { resolveCpuSet } from '../layout/cpu-set.ts';
import type { Layout } from '../layout/layout.ts';
import type { Machine } from '../topology/machine.ts';

/** `--cpus`. `isolated` and `housekeeping` are those of the profile, and without one those of the running kernel. Throws UsageError. */
export function askedCpus(expression: string, machine: Machine, layout: Layout | undefined): ChosenCpus {
  const { isolated } = machine.kernel;
  const asIs = { housekeeping: housekeepingCpus(machine), irq: [], isolated, nic: undefined, reasons: [], refused: [] };
  const cpus = resolveCpuSet(expression, { ...machine, layout: layout ?? asIs });
  if (cpus.length > 0) return { cpus, why: `as asked, --cpus ${expression}` };
  throw new UsageError(`--cpus ${expression}: no CPU of ${machine.host} is in this set.`, {
    next: ['Give numbers (`--cpus 2,3`), or leave --cpus out: hft then says which it takes and why.'],
  });
}
