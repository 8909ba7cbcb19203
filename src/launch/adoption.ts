import { UsageError } from '../errors.ts';
import { printCpulist } from '../topology/cpulist.ts';
import type { TaskLook } from './look.ts';
import { matchThreads } from './match-threads.ts';
import type { PlacedProcess, PlacedThread, Scheduling } from './placement.ts';
import { parseThreadKey, rankKey } from './thread-key.ts';

/** Where threads of a running process are to go: as it was typed. */
export interface AdoptionWish {
  /** `md-rx`, `#0`, `*`. */
  readonly name: string;
  /** One set for each thread of the name; one for all of `*`. */
  readonly cpus: readonly (readonly number[])[];
  /** undefined: as each of them is scheduled now. */
  readonly scheduling: Scheduling | undefined;
}

export interface AdoptionSite {
  readonly name: string;
  /** In the order of their start. */
  readonly tasks: readonly TaskLook[];
  readonly isolated: readonly number[];
}

/**
 * The placement of a running process. Without wishes: as its threads are now. Threads that no wish means stay as they are and are not
 * judged. Throws UsageError for a name that no thread has.
 */
export function placeAdopted(wishes: readonly AdoptionWish[], { name, tasks, isolated }: AdoptionSite): PlacedProcess {
  const asked = wishes.length === 0 ? asTheyAre(tasks) : wishes;
  const rules = asked.map((wish) => ruleOf(wish, { policy: 'other' }));
  const { matched, missing } = matchThreads(rules, tasks);
  for (const { rule, found } of missing)
    throw new UsageError(
      `--thread ${rule.name}: ${found === 0 ? 'no thread of the process has this name' : `it has ${found} threads of this name, not ${rule.cpus.length}`}.`,
      { next: [`Its threads: ${sayNames(tasks)}.`] },
    );
  const threads = asked.flatMap((wish): PlacedThread[] => {
    if (wish.scheduling !== undefined) return [ruleOf(wish, wish.scheduling)];
    const meant = matched.filter(({ rule }) => rule.name === wish.name);
    return keepScheduling(wish, meant, tasks);
  });
  const single = threads.flatMap(({ key, cpus }) =>
    key.kind === 'rest' ? [] : cpus.filter((set) => set.length === 1),
  );
  const own = [...new Set(single.flat())].filter((cpu) => isolated.includes(cpu)).sort((left, right) => left - right);
  const rest = threads.find(({ key }) => key.kind === 'rest')?.cpus[0] ?? [];
  const memory = { policy: 'default', nodes: [], lock: false, hugepages: {}, why: 'as it was adopted' } as const;
  return { name, why: undefined, own, idle: [], rest, threads: markAlone(threads), memory };
}

function ruleOf({ name, cpus }: AdoptionWish, scheduling: Scheduling): PlacedThread {
  const why = 'as it was asked for when it was adopted';
  return { key: parseThreadKey(name), name, cpus, isAlone: false, scheduling, why };
}

/** Threads of one name have one rule, whose sets come in the order of their start. */
function asTheyAre(tasks: readonly TaskLook[]): AdoptionWish[] {
  const names = [...new Set(tasks.map(({ name }) => name))];
  return names.map((name) => ({
    name,
    cpus: tasks.filter((task) => task.name === name).map(({ status }) => status?.allowed ?? []),
    scheduling: undefined,
  }));
}

type Meant = ReturnType<typeof matchThreads<TaskLook>>['matched'];

/**
 * Most threads of a name are scheduled alike. Who is not gets a rule of its own, by its place in the order of their start; of an exact name,
 * which would count before that, all of them.
 */
function keepScheduling(wish: AdoptionWish, meant: Meant, tasks: readonly TaskLook[]): PlacedThread[] {
  const counts = new Map<string, number>();
  for (const { task } of meant) counts.set(textOf(task), (counts.get(textOf(task)) ?? 0) + 1);
  const usual = [...counts].sort(([, left], [, right]) => right - left)[0]?.[0];
  const [same, others] = [
    meant.filter(({ task }) => textOf(task) === usual),
    meant.filter(({ task }) => textOf(task) !== usual),
  ];
  const toOrder = (each: Meant[number]) =>
    ruleOf({ ...wish, name: `#${tasks.indexOf(each.task)}`, cpus: [each.cpus] }, schedulingOf(each.task));
  if (others.length > 0 && rankKey(parseThreadKey(wish.name)) === 0) return meant.map(toOrder);
  const scheduling = same[0] === undefined ? ({ policy: 'other' } as const) : schedulingOf(same[0].task);
  const isRest = wish.name === '*';
  const kept = isRest ? wish.cpus : same.map(({ cpus }) => cpus);
  return [...others.map(toOrder), ruleOf({ ...wish, cpus: kept }, scheduling)];
}

function textOf({ policy, priority, nice }: TaskLook): string {
  return `${policy} ${priority} ${nice}`;
}

function schedulingOf({ policy, priority, nice }: TaskLook): Scheduling {
  if (policy === 'fifo' || policy === 'rr') return { policy, priority };
  if (policy === 'other' || policy === 'batch') return { policy, nice };
  if (policy === 'deadline') return { policy };
  throw new UsageError(`One of its threads is scheduled as ${policy}, which hft does not place.`);
}

/** A thread is alone where no other rule, and no other thread of its own, may run. */
function markAlone(threads: readonly PlacedThread[]): PlacedThread[] {
  const sets = threads.flatMap(({ cpus }) => cpus);
  return threads.map((thread) => {
    const isAlone =
      thread.key.kind !== 'rest' && thread.cpus.every((set) => set.length === 1 && isUsedOnce(set[0] as number, sets));
    return { ...thread, isAlone };
  });
}

function isUsedOnce(cpu: number, sets: readonly (readonly number[])[]): boolean {
  return sets.filter((set) => set.includes(cpu)).length === 1;
}

function sayNames(tasks: readonly TaskLook[]): string {
  return [...new Set(tasks.map(({ name }) => name))].join(', ');
}

/** Why these CPUs cannot be given, in words; undefined when they can. There is no load balancing on isolated CPUs. */
export function findCpuProblem(wish: AdoptionWish, isolated: readonly number[]): string | undefined {
  if (wish.cpus.some((set) => set.length === 0)) return 'the CPU set is empty';
  const touched = wish.cpus.map((set) => set.filter((cpu) => isolated.includes(cpu)));
  const wide = wish.cpus.find((set, index) => set.length > 1 && (touched[index]?.length ?? 0) > 0);
  if (wide !== undefined)
    return `${printCpulist(wide)} has isolated CPUs, among which the kernel moves no thread: give each thread one CPU`;
  const isRest = parseThreadKey(wish.name).kind === 'rest';
  if (isRest && touched.flat().length > 0)
    return `CPU ${printCpulist(touched.flat())} is isolated: name the one thread that is to have it`;
  return undefined;
}
