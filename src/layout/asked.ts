import { type CpuSet, printCpulist } from '../topology/cpulist.ts';
import type { Core } from './cores.ts';
import { LayoutError } from './layout-error.ts';
import { nameCpus } from './names.ts';
import type { CpuSetWanted, LayoutWanted } from './schema.ts';
import { cpusOf, type Site, siteCpus } from './site.ts';

export type AskedRole = 'housekeeping' | 'irq' | 'isolated';

/** CPUs that were asked for by number and cannot have the role. */
export interface RefusedCpus {
  readonly role: AskedRole;
  readonly cpus: CpuSet;
  /** Stands after the CPUs: `CPU 3: …`. */
  readonly reason: string;
}

export type AskedSets = Readonly<Record<AskedRole, CpuSet | undefined>>;

/** The roles that the profile gives as CPU sets, as whole cores. Undefined: given as a count. */
export interface AskedCores {
  readonly housekeeping: readonly Core[] | undefined;
  readonly irq: readonly Core[] | undefined;
  readonly isolated: readonly Core[] | undefined;
  /** The same as CPUs, as asked for. */
  readonly sets: AskedSets;
  /** The CPU that an isolated core keeps when its siblings go offline, where a certain one was asked for. */
  readonly keptThread: ReadonlyMap<Core, number>;
  readonly refused: readonly RefusedCpus[];
}

/** Throws LayoutError when one CPU is asked for in two roles, CpuExpressionError for CPUs that are not there. */
export function readAskedCores(wanted: LayoutWanted, site: Site): AskedCores {
  const sets = {
    housekeeping: readSet(wanted.housekeeping, site),
    irq: readSet(wanted.irq, site),
    isolated: readSet(wanted.isolated, site),
  };
  refuseOverlap(sets);
  const refused = [...refuseOffline(sets, wanted, site)];
  const isolated = sets.isolated && chooseIsolated(sets.isolated, { wanted, site, irq: sets.irq ?? [] });
  refused.push(...(isolated?.refused ?? []));
  return {
    housekeeping: sets.housekeeping && coresTouching(site, sets.housekeeping),
    irq: sets.irq && coresTouching(site, sets.irq),
    isolated: isolated?.cores,
    sets,
    keptThread: isolated?.keptThread ?? new Map(),
    refused,
  };
}

function readSet(wanted: CpuSetWanted | object, site: Site): CpuSet | undefined {
  return typeof wanted === 'object' ? undefined : siteCpus(site, wanted);
}

function refuseOverlap(sets: AskedSets): void {
  const pairs: [AskedRole, AskedRole][] = [
    ['housekeeping', 'isolated'],
    ['housekeeping', 'irq'],
    ['irq', 'isolated'],
  ];
  for (const [first, second] of pairs) {
    const both = (sets[first] ?? []).filter((cpu) => sets[second]?.includes(cpu));
    if (both.length === 0) continue;
    throw new LayoutError(second, `${nameCpus(both)} asked for as ${first} and as ${second}`, [
      `Take it out of layout.${first} or layout.${second}: a CPU has one role.`,
    ]);
  }
}

/** With siblings offline, the siblings of isolated cores are expected to be. */
function refuseOffline(sets: AskedSets, wanted: LayoutWanted, site: Site): RefusedCpus[] {
  const roles: AskedRole[] = ['housekeeping', 'irq', 'isolated'];
  return roles.flatMap((role) => {
    if (role === 'isolated' && wanted.smt === 'siblings-offline') return [];
    const cpus = (sets[role] ?? []).filter((cpu) => !site.cores.some((core) => core.cpus.includes(cpu)));
    return cpus.length === 0 ? [] : [{ role, cpus, reason: 'offline, nothing can run there' }];
  });
}

interface IsolatedChoice {
  readonly cores: readonly Core[];
  readonly keptThread: ReadonlyMap<Core, number>;
  readonly refused: readonly RefusedCpus[];
}

/** Two hardware threads of a core share its execution units: a busy sibling is the worst neighbour there is. */
function chooseIsolated(
  asked: CpuSet,
  context: { readonly wanted: LayoutWanted; readonly site: Site; readonly irq: CpuSet },
): IsolatedChoice {
  const { wanted, site, irq } = context;
  const touched = coresTouching(site, asked);
  // The boot CPU has a better reason than half a core, which the keepers give.
  const halves = touched.filter(
    (core) => !core.cpus.every((cpu) => asked.includes(cpu)) && !core.cpus.includes(site.bootCpu),
  );
  const withIrq = halves.filter((core) => core.cpus.some((cpu) => irq.includes(cpu)));
  const refusedHalves = wanted.smt === 'siblings-offline' ? withIrq : halves;
  const cores = touched.filter((core) => !refusedHalves.includes(core));
  const cpus = asked.filter((cpu) => refusedHalves.some((core) => core.cpus.includes(cpu)));
  return {
    cores,
    keptThread: new Map(cores.map((core) => [core, core.cpus.find((cpu) => asked.includes(cpu)) as number])),
    refused:
      cpus.length === 0 ? [] : [{ role: 'isolated', cpus, reason: explainHalfCores(cpusOf(refusedHalves), cpus, irq) }],
  };
}

function explainHalfCores(all: CpuSet, asked: CpuSet, irq: CpuSet): string {
  const others = all.filter((cpu) => !asked.includes(cpu));
  const disturbing = others.some((cpu) => irq.includes(cpu)) ? 'interrupts or other work there' : 'work there';
  const what = asked.length === 1 ? 'half a core' : 'half of each core';
  const remedy = `ask for whole cores, "cores(${printCpulist(asked)})", or set smt: siblings-offline`;
  return `${what}: ${disturbing} (${nameCpus(others)}) would disturb it; ${remedy}`;
}

function coresTouching(site: Site, cpus: CpuSet): Core[] {
  return site.cores.filter((core) => core.cpus.some((cpu) => cpus.includes(cpu)));
}
