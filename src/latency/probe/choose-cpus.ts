import type { Layout } from '../../layout/layout.ts';
import { printCpulist } from '../../topology/cpulist.ts';
import type { Machine } from '../../topology/machine.ts';

export interface ChosenCpus {
  readonly cpus: readonly number[];
  /** One sentence without its full stop. */
  readonly why: string;
}

/**
 * Where it is measured when nobody says: on the isolated CPUs; else on those that the profile would isolate; else on as few as
 * tell something, two of different cores. CPU 0 and one more housekeeping CPU are left alone where there are so many, and the
 * last housekeeping CPU always.
 */
export function chooseCpus(machine: Machine, layout: Layout | undefined): ChosenCpus {
  const online = onlineCpus(machine);
  const isolated = machine.kernel.isolated.filter((cpu) => online.includes(cpu));
  if (isolated.length > 0) return { cpus: isolated, why: 'the isolated CPUs' };
  const meant = (layout?.isolated ?? []).filter((cpu) => online.includes(cpu));
  if (meant.length > 0 && meant.length < online.length) {
    return { cpus: meant, why: 'no CPU is isolated; the profile would isolate these' };
  }
  const few = firstOfCores(machine)
    .filter((cpu) => cpu !== online[0])
    .slice(-Math.min(2, Math.max(1, online.length - 2)));
  const cpus = few.length > 0 ? few : online.slice(-1);
  return {
    cpus,
    why: `no CPU is isolated; ${printCpulist(cpus) || 'none'} of ${online.length} can be spared for the time`,
  };
}

/** CPUs that serve the rest of the system: those that are online and not isolated. */
export function housekeepingCpus(machine: Machine): readonly number[] {
  return onlineCpus(machine).filter((cpu) => !machine.kernel.isolated.includes(cpu));
}

/** Of these CPUs one of each physical core, in their order. */
export function oneOfEachCore({ topology }: Machine, cpus: readonly number[]): readonly number[] {
  const siblingsOf = (wanted: number) => topology.cpus.find(({ cpu }) => cpu === wanted)?.siblings ?? [];
  return cpus.filter((cpu, index) => !cpus.slice(0, index).some((before) => siblingsOf(cpu).includes(before)));
}

function onlineCpus({ topology }: Machine): readonly number[] {
  return topology.cpus.filter(({ online }) => online).map(({ cpu }) => cpu);
}

function firstOfCores({ topology }: Machine): readonly number[] {
  const first = topology.cpus.filter(
    ({ cpu, online, siblings }) =>
      online && siblings.every((sibling) => sibling >= cpu || !isOnline(topology, sibling)),
  );
  return first.map(({ cpu }) => cpu);
}

function isOnline({ cpus }: Machine['topology'], wanted: number): boolean {
  return cpus.some(({ cpu, online }) => cpu === wanted && online);
}
