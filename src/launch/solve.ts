import type { PlacedMachine } from '../layout/layout.ts';
import { nameCpus } from '../layout/names.ts';
import { InvalidProfile } from '../profile/problem.ts';
import { noteBypass, placeBypass } from './bypass.ts';
import { claimNamed } from './claims.ts';
import { chooseCpus, runningCores } from './demands.ts';
import type { Deployment } from './deployment.ts';
import type { LaunchFacts } from './launch-facts.ts';
import { checkHugepages, placeMemory } from './memory.ts';
import { findMissing, listUnknown } from './missing.ts';
import { placeInPartition } from './partition.ts';
import type { Note, PlacedProcess, Placement } from './placement.ts';
import { judgeScheduling, noteSharedCores } from './scheduling.ts';
import { startOrder } from './start-order.ts';
import { placeThreads } from './threads.ts';
import { type ProcessWish, readWishes } from './wishes.ts';

export interface PlaceSite {
  readonly machine: PlacedMachine;
  readonly facts: LaunchFacts;
  /** Where the CPU roles come from: one phrase. */
  readonly roles: string;
}

/**
 * Which thread goes on which CPU, and why. Depends on nothing but its arguments.
 *
 * Throws InvalidProfile with every mistake at its place: CPUs that are not there or taken twice, more asked for than there is,
 * nodes without memory, threads that would starve others. What `hft launch` also needs (programs, users) is in `missing`.
 */
export function solvePlacement(deployment: Deployment, site: PlaceSite): Placement {
  const { machine, facts } = site;
  const { processes, problems: unread } = readWishes(deployment, machine);
  if (unread.length > 0) throw new InvalidProfile(unread);
  const claims = claimNamed(processes, machine);
  const chosen = chooseCpus(processes, claims.holders, machine);
  const refused = [...claims.problems, ...chosen.problems];
  if (refused.length > 0) throw new InvalidProfile(refused);
  const owned = processes.map((wish) => ({ wish, own: ownCpus(wish, chosen.cpus.get(wish.name)) }));
  const idle = new Map(owned.map(({ wish, own }) => [wish.name, idleSiblings(wish, own, machine)]));
  const exclusive = new Set([...owned.flatMap(({ own }) => own), ...[...idle.values()].flat()]);
  const placed = owned.map(({ wish, own }) => ({
    wish,
    own,
    ...placeThreads({ wish, own, exclusive, machine }),
    memory: placeMemory(wish, own, machine),
  }));
  const judged = judgeScheduling(placed, { machine, facts, exclusive });
  const problems = [
    ...placed.flatMap((process) => [...process.problems, ...process.memory.problems]),
    ...checkHugepages(
      placed.map(({ wish, memory }) => ({ wish, memory: memory.memory })),
      machine,
    ),
    ...judged.problems,
  ];
  if (problems.length > 0) throw new InvalidProfile(problems);
  const byName = new Map<string, PlacedProcess>(
    placed.map(({ wish, own, threads, rest, memory }) => [
      wish.name,
      {
        name: wish.name,
        why: wish.wanted.why,
        own,
        ...withPartition(own, facts),
        idle: idle.get(wish.name) ?? [],
        rest,
        threads,
        memory: memory.memory,
        ...withBypass(wish, rest, facts),
      },
    ]),
  );
  return {
    deployment: deployment.name,
    host: machine.host,
    roles: site.roles,
    processes: startOrder(deployment.processes).flatMap((name) => byName.get(name) ?? []),
    free: machine.layout.isolated.filter((cpu) => !exclusive.has(cpu)),
    notes: [
      ...noteIsolation(exclusive, machine, facts),
      ...placed.flatMap((process) => [...process.notes, ...process.memory.notes]),
      ...judged.notes,
      ...processes.flatMap(({ name, wanted }) => noteBypass(name, wanted, facts.bypass[name])),
      ...noteSharedCores(
        owned.map(({ wish, own }) => ({ name: wish.name, own })),
        machine,
      ),
    ],
    missing: findMissing(processes, facts),
    unknown: listUnknown(facts),
  };
}

/** What a profile isolates is isolated when it is tuned, and for kernel arguments after a reboot. */
function noteIsolation(
  exclusive: ReadonlySet<number>,
  { layout, kernel }: PlacedMachine,
  { partition }: LaunchFacts,
): Note[] {
  const wanted = layout.isolated.filter((cpu) => exclusive.has(cpu) && !kernel.isolated.includes(cpu));
  const inside = placeInPartition(wanted, partition)?.cpus ?? [];
  const open = wanted.filter((cpu) => !inside.includes(cpu));
  if (inside.length > 0 && open.length === 0) return [{ about: 'isolation', text: `${nameCpus(inside)}: ${INSIDE}` }];
  if (open.length === 0) return [];
  const text = `${nameCpus(open)}: not isolated by the running kernel. hft tune comes first, with a reboot: hft launch starts nothing where they are not.`;
  return [{ about: 'isolation', text }];
}

const INSIDE =
  'isolated by a cpuset partition. The threads on them are in its cgroup, all others of their processes in the root cgroup: no limit of a slice or a service (memory, tasks) holds for these processes, and the timer tick stays.';

function withPartition(own: readonly number[], { partition }: LaunchFacts): Pick<PlacedProcess, 'partition'> {
  const placed = placeInPartition(own, partition);
  return placed === undefined ? {} : { partition: placed };
}

function withBypass(
  { name, wanted }: ProcessWish,
  rest: readonly number[],
  facts: LaunchFacts,
): Pick<PlacedProcess, 'bypass'> {
  const bypass = placeBypass(wanted, facts.bypass[name], rest);
  return bypass === undefined ? {} : { bypass };
}

function ownCpus(wish: ProcessWish, chosen: readonly number[] = []): number[] {
  const named = wish.threads.flatMap(({ at }) => (at.kind === 'named' ? at.cpus : []));
  return [...new Set([...wish.listed, ...named, ...chosen])].sort((left, right) => left - right);
}

/** The hardware threads beside those of whole cores. */
function idleSiblings({ demand }: ProcessWish, own: readonly number[], machine: PlacedMachine): number[] {
  if (demand?.demand.cores === undefined) return [];
  const cores = runningCores(machine).filter((core) => core.cpus.some((cpu) => own.includes(cpu)));
  return cores.flatMap(({ cpus }) => cpus).filter((cpu) => !own.includes(cpu));
}
