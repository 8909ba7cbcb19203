import { CpuExpressionError } from '../layout/cpu-expression.ts';
import { resolveCpuSet } from '../layout/cpu-set.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { nameCpus } from '../layout/names.ts';
import type { Problem } from '../profile/problem.ts';
import { type CpuSet, intersection, without } from '../topology/cpulist.ts';
import { checkOwnThreads, type Report, reporter } from './contradictions.ts';
import type { Deployment } from './deployment.ts';
import type { CpuDemand, ProcessWanted, ThreadWanted } from './schema.ts';
import { parseThreadKey, type ThreadKey } from './thread-key.ts';

/** What a process asks for, with its CPU sets as they are on one machine. */
export interface ProcessWish {
  readonly name: string;
  readonly wanted: ProcessWanted;
  readonly report: Report;
  /** CPUs that it names and has to itself. */
  readonly listed: CpuSet;
  /** CPUs that hft chooses, to itself. */
  readonly demand: DemandWish | undefined;
  /** CPUs that it shares with others. */
  readonly shared: CpuSet | undefined;
  readonly threads: readonly ThreadWish[];
}

export interface DemandWish {
  readonly demand: CpuDemand;
  readonly from: CpuSet;
  /** NUMA nodes; empty: anywhere. */
  readonly home: readonly number[];
}

export interface ThreadWish {
  readonly name: string;
  readonly key: ThreadKey;
  readonly wanted: ThreadWanted;
  readonly at: ThreadPlace;
}

/** own: of the process's own CPUs; named: CPUs that it has to itself; shared: with others; rest: where the process starts. */
export type ThreadPlace =
  | { readonly kind: 'own' }
  | { readonly kind: 'named'; readonly cpus: CpuSet }
  | { readonly kind: 'shared'; readonly cpus: CpuSet }
  | { readonly kind: 'rest' };

export interface Wishes {
  readonly processes: readonly ProcessWish[];
  readonly problems: readonly Problem[];
}

/** Reads what a deployment asks for. CPUs that are not there, and sets that cannot be meant, are problems. */
export function readWishes(deployment: Deployment, machine: PlacedMachine): Wishes {
  const problems: Problem[] = [];
  const processes = Object.entries(deployment.processes).map(([name, wanted]) => {
    const report = reporter(deployment, ['processes', name]);
    const reading: Reading = { name, wanted, machine, report, problems };
    return readProcess(reading);
  });
  return { processes, problems };
}

interface Reading {
  readonly name: string;
  readonly wanted: ProcessWanted;
  readonly machine: PlacedMachine;
  readonly report: Report;
  readonly problems: Problem[];
}

function readProcess(reading: Reading): ProcessWish {
  const { name, wanted, report } = reading;
  const demand = readDemand(reading);
  const set = readSet(reading);
  const isExclusive = set !== undefined && (hasIsolated(set, reading) || namesOwn(wanted));
  const listed = isExclusive ? set : [];
  const shared = isExclusive ? undefined : set;
  const threads = Object.entries(wanted.threads).flatMap(([key, thread]) => {
    const at = placeThread(key, thread, { reading, hasOwn: isExclusive || demand !== undefined, shared });
    return at === undefined ? [] : [{ name: key, key: parseThreadKey(key), wanted: thread, at }];
  });
  if (isExclusive) reading.problems.push(...checkOwnThreads(wanted, set.length, report));
  return { name, wanted, report, listed, demand, shared, threads };
}

function readDemand(reading: Reading): DemandWish | undefined {
  const { cpus } = reading.wanted;
  if (cpus === undefined || typeof cpus === 'string' || Array.isArray(cpus)) return undefined;
  const from = resolve(cpus.from, ['cpus', 'from'], reading) ?? [];
  const near = cpus.near ?? (reading.machine.layout.nic === undefined ? undefined : 'nic');
  const around = near === undefined ? [] : (resolve(near, ['cpus', 'near'], reading) ?? []);
  return { demand: cpus, from, home: nodesOf(around, reading.machine) };
}

function readSet(reading: Reading): CpuSet | undefined {
  const { cpus } = reading.wanted;
  if (typeof cpus !== 'string' && !Array.isArray(cpus)) return undefined;
  const set = resolve(Array.isArray(cpus) ? cpus.join(',') : cpus, ['cpus'], reading);
  if (set === undefined) return undefined;
  const isolated = intersection(set, reading.machine.layout.isolated);
  const problem =
    set.length === 0
      ? reading.report(['cpus'], `no CPU of ${reading.machine.host} is in this set`)
      : isolated.length > 0 && isolated.length < set.length
        ? sayMixed(['cpus'], set, { reading, isolated })
        : undefined;
  if (problem === undefined) return set;
  reading.problems.push(problem);
  return undefined;
}

function placeThread(
  key: string,
  thread: ThreadWanted,
  context: { readonly reading: Reading; readonly hasOwn: boolean; readonly shared: CpuSet | undefined },
): ThreadPlace | undefined {
  const { reading, hasOwn, shared } = context;
  const isRest = parseThreadKey(key).kind === 'rest';
  if (thread.cpus === undefined) {
    if (isRest) return { kind: 'rest' };
    if (hasOwn) return { kind: 'own' };
    return shared === undefined ? { kind: 'rest' } : { kind: 'shared', cpus: shared };
  }
  if (thread.cpus === 'own') {
    if (hasOwn) return { kind: 'own' };
    if (reading.wanted.cpus === undefined)
      reading.problems.push(
        reading.report(
          ['threads', key],
          'own is one of the CPUs of the process, and the process asks for none',
          'Add cpus: { count: 1 } to the process.',
        ),
      );
    return undefined;
  }
  return placeOnSet(key, thread, reading);
}

function placeOnSet(key: string, thread: ThreadWanted, reading: Reading): ThreadPlace | undefined {
  const path = ['threads', key];
  const set = resolve(String(thread.cpus), path, reading);
  if (set === undefined) return undefined;
  const { host, layout } = reading.machine;
  const isolated = intersection(set, layout.isolated);
  const isRest = parseThreadKey(key).kind === 'rest';
  const fail = (message: string, hint?: string): undefined => {
    reading.problems.push(reading.report(path, message, hint));
  };
  if (set.length === 0) return fail(`no CPU of ${host} is in this set`);
  if (isolated.length === 0) return { kind: 'shared', cpus: set };
  if (isolated.length < set.length) {
    reading.problems.push(sayMixed(path, set, { reading, isolated }));
    return undefined;
  }
  if (isRest)
    return fail(
      `${nameCpus(set)}: isolated, and "*" is any number of threads: nothing there moves one away from another`,
      'Write a set of ordinary CPUs such as housekeeping, and name the threads that get an isolated one.',
    );
  if (set.length === thread.count) return { kind: 'named', cpus: set };
  const threads = thread.count === 1 ? 'one thread' : `${thread.count} threads`;
  return fail(
    `${nameCpus(set)} for ${threads}: on isolated CPUs threads stay where they are put, so each has one`,
    'Give as many CPUs as threads: one, or count: N.',
  );
}

/** The CPUs of a set on this machine. */
function resolve(text: string, path: readonly string[], reading: Reading): CpuSet | undefined {
  try {
    return resolveCpuSet(text, reading.machine);
  } catch (error) {
    if (!(error instanceof CpuExpressionError)) throw error;
    reading.problems.push(reading.report(path, error.message, error.next[0]));
    return undefined;
  }
}

function hasIsolated(set: CpuSet, { machine }: Reading): boolean {
  return intersection(set, machine.layout.isolated).length > 0;
}

function namesOwn({ threads }: ProcessWanted): boolean {
  return Object.values(threads).some(({ cpus }) => cpus === 'own');
}

function sayMixed(
  path: readonly string[],
  set: CpuSet,
  context: { readonly reading: Reading; readonly isolated: CpuSet },
): Problem {
  const { reading, isolated } = context;
  const others = without(set, isolated);
  const role = reading.machine.layout.irq.some((cpu) => others.includes(cpu)) ? 'interrupt' : 'housekeeping';
  return reading.report(
    path,
    `${nameCpus(isolated)} isolated and ${nameCpus(others)} not (${role}): a thread with both is never moved to the isolated ones`,
    'Write isolated CPUs, one for each thread, or ordinary ones.',
  );
}

/** The NUMA nodes of CPUs, ascending. */
export function nodesOf(cpus: CpuSet, machine: PlacedMachine): number[] {
  const nodes = machine.topology.cpus.filter(({ cpu }) => cpus.includes(cpu)).flatMap(({ node }) => node ?? []);
  return [...new Set(nodes)].sort((left, right) => left - right);
}
