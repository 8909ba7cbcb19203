import type { PlacedMachine } from '../layout/layout.ts';
import { nameCpus } from '../layout/names.ts';
import type { Problem } from '../profile/problem.ts';
import { type CpuSet, without } from '../topology/cpulist.ts';
import type { Note, PlacedThread, Scheduling } from './placement.ts';
import type { ThreadWanted } from './schema.ts';
import { nodesOf, type ProcessWish, type ThreadWish } from './wishes.ts';

/** A process with its own CPUs decided. */
export interface OwnCpus {
  readonly wish: ProcessWish;
  /** Listed, or chosen by hft; ascending. */
  readonly own: CpuSet;
  /** Every CPU of the host that some process has to itself. */
  readonly exclusive: ReadonlySet<number>;
  readonly machine: PlacedMachine;
}

export interface PlacedThreads {
  readonly threads: readonly PlacedThread[];
  /** Where the process starts. */
  readonly rest: CpuSet;
  readonly notes: readonly Note[];
  readonly problems: readonly Problem[];
}

/** Gives the threads of a process their CPUs: the process's own ones in the order of the file, one each. */
export function placeThreads(context: OwnCpus): PlacedThreads {
  const { wish, own } = context;
  const problems: Problem[] = [];
  const rest = findRest(context, problems);
  const named = wish.threads.flatMap(({ at }) => (at.kind === 'named' ? at.cpus : []));
  const pool = [...without(own, named)];
  const threads = wish.threads.map((thread) => placeThread(thread, { context, pool, rest, problems }));
  if (wish.threads.length === 0 && pool.length === 1) threads.push(placeFirst(pool.splice(0, 1), context));
  if (!threads.some(({ key }) => key.kind === 'rest')) threads.push(placeOthers(context, rest));
  const left =
    pool.length === 0 ? [] : [{ about: wish.name, text: `${nameCpus(pool)}: its own, and no thread is named for it.` }];
  return { threads, rest, notes: left, problems };
}

interface Placing {
  readonly context: OwnCpus;
  /** Own CPUs that no thread has yet. */
  readonly pool: number[];
  readonly rest: CpuSet;
  readonly problems: Problem[];
}

function placeThread(thread: ThreadWish, { context, pool, rest, problems }: Placing): PlacedThread {
  const { name, key, wanted, at } = thread;
  const { machine, exclusive } = context;
  const base = { name, key, scheduling: schedulingOf(wanted) };
  if (at.kind === 'own' || at.kind === 'named') {
    const cpus = at.kind === 'named' ? at.cpus : pool.splice(0, wanted.count);
    const how = at.kind === 'named' ? 'named in the file' : sayChosen(context);
    return {
      ...base,
      cpus: cpus.map((cpu) => [cpu]),
      isAlone: true,
      why: wanted.why ?? `${sayRole(cpus, machine)}, alone; ${how}`,
    };
  }
  if (at.kind === 'rest') return { ...base, cpus: [rest], isAlone: false, why: wanted.why ?? sayRest(context, rest) };
  const cpus = at.cpus.filter((cpu) => !exclusive.has(cpu));
  if (cpus.length === 0)
    problems.push(
      context.wish.report(
        ['threads', name],
        `${nameCpus(at.cpus)}: other threads have all of them to themselves`,
        'Take other CPUs.',
      ),
    );
  const why = wanted.why ?? `${sayRole(cpus, machine)}, shared with others`;
  return {
    ...base,
    cpus: Array.from({ length: key.kind === 'rest' ? 1 : wanted.count }, () => cpus),
    isAlone: false,
    why,
  };
}

/** A process with one CPU of its own and no word of threads: its first thread has it. */
function placeFirst(cpus: CpuSet, context: OwnCpus): PlacedThread {
  const why = `${sayRole(cpus, context.machine)}, alone; ${sayChosen(context)}`;
  return {
    name: '#0',
    key: { kind: 'order', index: 0 },
    cpus: [cpus],
    isAlone: true,
    scheduling: { policy: 'other' },
    why,
  };
}

function placeOthers(context: OwnCpus, rest: CpuSet): PlacedThread {
  const why = sayRest(context, rest);
  return { name: '*', key: { kind: 'rest' }, cpus: [rest], isAlone: false, scheduling: { policy: 'other' }, why };
}

/** Where `*` runs: what the file says of it, the shared CPUs of the process, or housekeeping on the nodes of its own CPUs. */
function findRest({ wish, own, exclusive, machine }: OwnCpus, problems: Problem[]): CpuSet {
  const star = wish.threads.find(({ key }) => key.kind === 'rest');
  const said = star?.at.kind === 'shared' ? star.at.cpus : wish.shared;
  const path = star?.at.kind === 'shared' ? ['threads', '*'] : ['cpus'];
  const free = (cpus: CpuSet) => cpus.filter((cpu) => !exclusive.has(cpu));
  if (said !== undefined) {
    const rest = free(said);
    // A set that was said of "*" is reported where the thread is placed.
    if (rest.length === 0 && star?.at.kind !== 'shared')
      problems.push(
        wish.report(path, `${nameCpus(said)}: other threads have all of them to themselves`, 'Take other CPUs.'),
      );
    return rest;
  }
  const nodes = nodesOf(own, machine);
  const housekeeping = free(machine.layout.housekeeping);
  const near = housekeeping.filter((cpu) => nodesOf([cpu], machine).some((node) => nodes.includes(node)));
  return near.length > 0 ? near : housekeeping;
}

function sayChosen({ wish, own, machine }: OwnCpus): string {
  const { demand } = wish;
  if (demand === undefined) return 'listed by the process';
  const unit = demand.demand.cores === undefined ? 'CPU' : 'whole core';
  const count = demand.demand.cores ?? demand.demand.count ?? 1;
  const wanted = count === 1 ? `the ${unit} asked for` : `one of ${count} ${unit}s asked for`;
  if (demand.home.length === 0) return wanted;
  const isNear = nodesOf(own, machine).every((node) => demand.home.includes(node));
  const near = sayNear(demand.demand.near ?? 'nic', machine);
  return isNear ? `${wanted}, on the NUMA node of ${near}` : `${wanted}, as near to ${near} as there is room`;
}

function sayNear(near: string, { layout }: PlacedMachine): string {
  return near === 'nic' ? `the trading NIC ${layout.nic}` : near;
}

function sayRest({ wish, own, machine }: OwnCpus, rest: CpuSet): string {
  if (wish.shared !== undefined) return `${sayRole(rest, machine)}, as the process asks`;
  if (own.length === 0) return `${sayRole(rest, machine)}: nothing else is said of it`;
  const nodes = nodesOf(own, machine);
  const isNear = nodes.length > 0 && nodesOf(rest, machine).every((node) => nodes.includes(node));
  return `${sayRole(rest, machine)}, off the hot threads' CPUs${isNear ? ', on the same NUMA node' : ''}`;
}

function sayRole(cpus: CpuSet, { layout }: PlacedMachine): string {
  const roles = (['isolated', 'irq', 'housekeeping'] as const).filter((role) =>
    cpus.some((cpu) => layout[role].includes(cpu)),
  );
  return roles.join(' and ') || 'nowhere';
}

function schedulingOf({ policy, priority, nice, runtime, deadline, period }: ThreadWanted): Scheduling {
  const given = Object.entries({ priority, nice, runtime, deadline, period }).filter(
    ([, value]) => value !== undefined,
  );
  return { policy, ...Object.fromEntries(given) };
}
