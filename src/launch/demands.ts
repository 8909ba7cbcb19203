import { findBootCpu, groupCores } from '../layout/cores.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { nameCpus } from '../layout/names.ts';
import type { Problem } from '../profile/problem.ts';
import { printCpulist } from '../topology/cpulist.ts';
import { type AssignDemand, type AssignSite, assignCpus } from './assign.ts';
import type { DemandWish, ProcessWish } from './wishes.ts';

/** The CPUs that hft chose, by process; or why there are none. */
export interface Chosen {
  readonly cpus: ReadonlyMap<string, readonly number[]>;
  readonly problems: readonly Problem[];
}

/** Gives each process the CPUs that it asks for by number. Earlier ones in the file choose first. */
export function chooseCpus(
  processes: readonly ProcessWish[],
  holders: ReadonlyMap<number, string>,
  machine: PlacedMachine,
): Chosen {
  const asking = processes.flatMap((wish) => (wish.demand === undefined ? [] : [{ wish, demand: wish.demand }]));
  const taken = new Set([...holders.keys(), ...pinnedCpus(processes), findBootCpu(machine.topology) ?? -1]);
  const demands = asking.map(({ demand }) => asDemand(demand, taken));
  const site: AssignSite = { machine, cores: runningCores(machine) };
  const chosen = assignCpus(demands, site);
  if (chosen !== undefined)
    return { cpus: new Map(asking.map(({ wish }, index) => [wish.name, chosen[index] ?? []])), problems: [] };
  const failing = demands.findIndex((_, index) => assignCpus(demands.slice(0, index + 1), site) === undefined);
  const { wish, demand } = asking[failing] as (typeof asking)[number];
  const before = assignCpus(demands.slice(0, failing), site) ?? [];
  const given = before.map((cpus, index) => `${asking[index]?.wish.name} ${printCpulist(cpus)}`);
  const named = [...holders].filter(([cpu]) => demand.from.includes(cpu)).map(([cpu, process]) => `${process} ${cpu}`);
  const problem = sayShortage(wish, demand, { machine, holders: [...named, ...given] });
  return { cpus: new Map(), problems: [problem] };
}

/** The cores with the hardware threads that run: those that the layout takes offline are not there. */
export function runningCores(machine: PlacedMachine) {
  const parked = machine.layout.offline ?? [];
  return groupCores(machine.topology)
    .map((core) => ({ ...core, cpus: core.cpus.filter((cpu) => !parked.includes(cpu)) }))
    .filter((core) => core.cpus.length > 0);
}

function asDemand({ demand, from, home }: DemandWish, taken: ReadonlySet<number>): AssignDemand {
  const allowed = new Set(from.filter((cpu) => !taken.has(cpu)));
  return { allowed, home, count: demand.count ?? demand.cores ?? 0, unit: demand.cores === undefined ? 'cpu' : 'core' };
}

/** Ordinary CPUs that a thread is put on alone: they do not become somebody's own. */
function pinnedCpus(processes: readonly ProcessWish[]): number[] {
  return processes.flatMap(({ threads }) =>
    threads.flatMap(({ at }) => (at.kind === 'shared' && at.cpus.length === 1 ? at.cpus : [])),
  );
}

function sayShortage(
  wish: ProcessWish,
  { demand, from }: DemandWish,
  context: { readonly machine: PlacedMachine; readonly holders: readonly string[] },
): Problem {
  const { machine, holders } = context;
  const [wanted, what] = demand.cores === undefined ? [demand.count ?? 0, 'CPU'] : [demand.cores, 'whole core'];
  const have = from.length === 0 ? 'there are none' : `there ${from.length === 1 ? 'is' : 'are'} ${nameCpus(from)}`;
  const taken = holders.length === 0 ? '' : `; taken: ${holders.join(', ')}`;
  const boot = findBootCpu(machine.topology);
  const kernel = boot !== undefined && from.includes(boot) ? `; CPU ${boot} stays with the kernel` : '';
  const hint =
    from.length === 0 && machine.layout.isolated.length === 0
      ? 'No CPU is isolated here: name a profile that isolates some (profile: colo), or write from: housekeeping.'
      : 'Ask for fewer, isolate more in the profile, or move a process to another host.';
  return wish.report(
    ['cpus'],
    `${wanted} ${what}${wanted === 1 ? '' : 's'} of "${demand.from}" cannot be had on ${machine.host}: ${have}${taken}${kernel}`,
    hint,
  );
}
