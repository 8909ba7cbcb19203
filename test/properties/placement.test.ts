import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AssignDemand, assignCpus } from '../../src/launch/assign.ts';
import { runningCores } from '../../src/launch/demands.ts';
import type { Deployment } from '../../src/launch/deployment.ts';
import type { Placement } from '../../src/launch/placement.ts';
import { deploymentWanted, type ProcessWanted } from '../../src/launch/schema.ts';
import { solvePlacement } from '../../src/launch/solve.ts';
import { CpuExpressionError } from '../../src/layout/cpu-expression.ts';
import type { PlacedMachine } from '../../src/layout/layout.ts';
import { LayoutError } from '../../src/layout/layout-error.ts';
import { InvalidProfile } from '../../src/profile/problem.ts';
import { printCpulist } from '../../src/topology/cpulist.ts';
import type { Machine } from '../../src/topology/machine.ts';
import { buildMachine } from '../machine-builder.ts';
import { NOTHING_MISSING, withRoles } from '../unit/launch/placing.ts';
import { machines } from './machines.ts';

const layouts = fc.record({
  isolated: fc.record({ cores: fc.constantFrom(0, 1, 2, 4, 'most', '50%') }),
  irq: fc.record({ cores: fc.integer({ min: 0, max: 1 }) }),
  smt: fc.constantFrom('keep', 'siblings-offline'),
});

const from = fc.constantFrom('isolated', 'isolated', 'isolated & node(0)', 'housekeeping', 'all');
const scheduling = fc.oneof(
  fc.constant({}),
  fc.record({
    policy: fc.constantFrom('fifo', 'rr'),
    priority: fc.integer({ min: 1, max: 98 }),
    wait: fc.constantFrom('spin', 'block'),
  }),
);

/** Processes by demand, with as many threads as CPUs or fewer; processes that share; threads by number. */
const processes = fc.oneof(
  fc
    .record({
      unit: fc.constantFrom('count', 'cores'),
      number: fc.integer({ min: 1, max: 4 }),
      from,
      scheduling,
      fewer: fc.boolean(),
    })
    .map(({ unit, number, from: set, scheduling: how, fewer }) => ({
      cpus: { [unit]: number, from: set },
      threads: { 'w-*': { count: fewer && number > 1 ? number - 1 : number, ...how } },
    })),
  fc.constantFrom('housekeeping', 'all - isolated', 'node(0) & housekeeping').map((cpus) => ({ cpus })),
  fc.uniqueArray(fc.nat({ max: 20 }), { minLength: 1, maxLength: 3 }).map((cpus) => ({
    threads: Object.fromEntries(cpus.map((cpu) => [`t${cpu}`, cpu])),
  })),
  fc.constant({}),
);

const deployments: fc.Arbitrary<Deployment> = fc.array(processes, { minLength: 1, maxLength: 6 }).map((list) => {
  const named = Object.fromEntries(list.map((process, index) => [`p${index}`, { command: ['/bin/p'], ...process }]));
  const { processes: wanted } = deploymentWanted.parse({ processes: named });
  return {
    name: 'd',
    description: undefined,
    file: 'd',
    sources: ['d'],
    profile: undefined,
    heal: false,
    processes: wanted,
    positions: {},
  };
});

function wantsCores({ cpus }: ProcessWanted): boolean {
  return typeof cpus === 'object' && !Array.isArray(cpus) && cpus.cores !== undefined;
}

function tryRoles(machine: Machine, layout: object): PlacedMachine | undefined {
  try {
    return withRoles(machine, layout);
  } catch (error) {
    if (error instanceof LayoutError || error instanceof CpuExpressionError) return undefined;
    throw error;
  }
}

/** undefined: refused with a place. Anything else thrown is a bug. */
function tryPlace(deployment: Deployment, machine: PlacedMachine): Placement | undefined {
  try {
    return solvePlacement(deployment, { machine, facts: NOTHING_MISSING, roles: 'a test' });
  } catch (error) {
    if (error instanceof InvalidProfile) return undefined;
    throw error;
  }
}

let placed = 0;

function checkPlacements(
  check: (placement: Placement, machine: PlacedMachine, deployment: Deployment) => boolean,
): void {
  fc.assert(
    fc.property(machines, layouts, deployments, (machine, layout, deployment) => {
      const roles = tryRoles(machine, layout);
      const placement = roles && tryPlace(deployment, roles);
      if (roles === undefined || placement === undefined) return true;
      placed++;
      return check(placement, roles, deployment);
    }),
    { numRuns: 400 },
  );
}

function alone({ processes: all }: Placement): number[] {
  return all.flatMap(({ threads }) => threads.filter(({ isAlone }) => isAlone).flatMap(({ cpus }) => cpus.flat()));
}

describe('every placement', () => {
  test('gives an isolated CPU to one thread at most, and each thread of its own one CPU', () => {
    checkPlacements((placement) => {
      const cpus = alone(placement);
      const single = placement.processes.every(({ threads }) =>
        threads.every(({ isAlone, cpus: sets }) => !isAlone || sets.every((set) => set.length === 1)),
      );
      return single && new Set(cpus).size === cpus.length;
    });
  });

  test('puts threads on online CPUs only, and those that share off what others have alone', () => {
    checkPlacements((placement, { topology, layout }) => {
      const online = topology.cpus
        .filter((cpu) => cpu.online && !layout.offline?.includes(cpu.cpu))
        .map(({ cpu }) => cpu);
      const exclusive = [...alone(placement), ...placement.processes.flatMap(({ own, idle }) => [...own, ...idle])];
      return placement.processes.every(({ threads, rest }) =>
        [{ cpus: [rest], isAlone: false }, ...threads].every(({ cpus, isAlone }) =>
          cpus.every(
            (set) =>
              set.length > 0 &&
              set.every((cpu) => online.includes(cpu)) &&
              (isAlone || set.every((cpu) => !exclusive.includes(cpu))),
          ),
        ),
      );
    });
  });

  test('lets nothing but own threads on isolated CPUs, and leaves the boot CPU to the kernel', () => {
    checkPlacements((placement, { topology, layout }) => {
      const boot = Math.min(...topology.cpus.filter(({ online }) => online).map(({ cpu }) => cpu));
      const shared = placement.processes.flatMap(({ rest, threads }) => [
        ...rest,
        ...threads.filter(({ isAlone }) => !isAlone).flatMap(({ cpus }) => cpus.flat()),
      ]);
      return !alone(placement).includes(boot) && shared.every((cpu) => !layout.isolated.includes(cpu));
    });
  });

  test('whole cores have nobody beside them', () => {
    checkPlacements((placement, machine, deployment) => {
      const everybody = placement.processes.flatMap(({ rest, threads }) => [
        ...rest,
        ...threads.flatMap(({ cpus }) => cpus.flat()),
      ]);
      return placement.processes.every(({ name, own, idle }) => {
        const wanted = deployment.processes[name]?.cpus;
        if (typeof wanted !== 'object' || Array.isArray(wanted) || wanted.cores === undefined) return true;
        const cores = runningCores(machine).filter(({ cpus }) => cpus.some((cpu) => own.includes(cpu)));
        return cores.length === wanted.cores && idle.every((cpu) => !everybody.includes(cpu));
      });
    });
  });

  test('meets each demand, within its set, and says why of each thread', () => {
    checkPlacements((placement, _machine, deployment) =>
      placement.processes.every(({ name, own, threads }) => {
        const wanted = deployment.processes[name]?.cpus;
        const number =
          typeof wanted === 'object' && !Array.isArray(wanted) ? (wanted.count ?? wanted.cores) : undefined;
        return (number === undefined || own.length === number) && threads.every(({ why }) => why !== '');
      }),
    );
  });

  test('binds memory to nodes that have some', () => {
    checkPlacements(({ processes: all }, { topology }) =>
      all.every(({ memory }) =>
        memory.nodes.every((node) => (topology.nodes.find((each) => each.node === node)?.memoryBytes ?? 0) > 0),
      ),
    );
  });

  test('does not depend on the order in which the machine was read', () => {
    checkPlacements((placement, machine, deployment) => {
      const { topology } = machine;
      const nodes = [...topology.nodes]
        .reverse()
        .map((node) => ({ ...node, distances: [...node.distances].reverse() }));
      const reversed = { ...machine, topology: { ...topology, cpus: [...topology.cpus].reverse(), nodes } };
      return JSON.stringify(tryPlace(deployment, reversed)) === JSON.stringify(placement);
    });
  });

  test('can be asked for again by its numbers: it fits, and is the same where nothing is left to choose', () => {
    checkPlacements((placement, machine, deployment) => {
      const isChosen = ({ cpus }: ProcessWanted) => typeof cpus === 'object' && !Array.isArray(cpus);
      const isIsolated = (cpus: readonly number[]) => cpus.every((cpu) => machine.layout.isolated.includes(cpu));
      const entries = Object.entries(deployment.processes).map(([name, process]) => {
        const own = placement.processes.find((each) => each.name === name)?.own ?? [];
        const isReplaced = isChosen(process) && !wantsCores(process) && isIsolated(own);
        return [name, isReplaced ? { ...process, cpus: [...own] } : process] as const;
      });
      const again = tryPlace({ ...deployment, processes: Object.fromEntries(entries) }, machine);
      if (again === undefined) return false;
      const cpusOf = (of: Placement) =>
        of.processes.map(({ name, threads }) => [name, threads.map(({ cpus }) => cpus)]);
      const hasChoice = entries.some(([, process]) => isChosen(process));
      return hasChoice || JSON.stringify(cpusOf(again)) === JSON.stringify(cpusOf(placement));
    });
  });

  test('is found for many of the cases above', () => {
    expect(placed).toBeGreaterThan(300);
  });
});

describe('the search', () => {
  const shapes = fc.record({ coresPerPackage: fc.integer({ min: 1, max: 3 }), threads: fc.constantFrom(1, 2) });
  const wishes = fc.array(
    fc.record({
      unit: fc.constantFrom('cpu', 'core') as fc.Arbitrary<'cpu' | 'core'>,
      count: fc.integer({ min: 1, max: 3 }),
      cpus: fc.uniqueArray(fc.nat({ max: 11 }), { maxLength: 10 }),
    }),
    { minLength: 1, maxLength: 3 },
  );

  test('finds CPUs whenever there are some, and never the same one twice', () => {
    fc.assert(
      fc.property(shapes, wishes, (shape, wanted) => {
        const machine = withRoles(buildMachine({ packages: 2, ...shape }), {});
        const cores = runningCores(machine);
        const demands = wanted.map(
          ({ unit, count, cpus }): AssignDemand => ({ unit, count, allowed: new Set(cpus), home: [] }),
        );
        const found = assignCpus(demands, { machine, cores });
        const possible = isPossible(
          demands,
          cores.map(({ cpus }) => cpus),
          new Set(),
        );
        if (found === undefined) return !possible;
        const all = found.flat();
        return (
          possible &&
          new Set(all).size === all.length &&
          found.every((cpus, index) => cpus.every((cpu) => demands[index]?.allowed.has(cpu)))
        );
      }),
      { numRuns: 1000 },
    );
  });
});

/** All ways, one after the other: slow, and plainly right. */
function isPossible(
  demands: readonly AssignDemand[],
  cores: readonly (readonly number[])[],
  used: ReadonlySet<number>,
): boolean {
  const [demand, ...rest] = demands;
  if (demand === undefined) return true;
  if (demand.count === 0) return isPossible(rest, cores, used);
  const choices =
    demand.unit === 'core'
      ? cores.filter((core) => core.every((cpu) => demand.allowed.has(cpu) && !used.has(cpu)))
      : [...demand.allowed]
          .filter((cpu) => !used.has(cpu) && cores.some((core) => core.includes(cpu)))
          .map((cpu) => [cpu]);
  const seen = new Set(choices.map((cpus) => printCpulist(cpus)));
  return [...seen].some((text) => {
    const cpus = choices.find((choice) => printCpulist(choice) === text) ?? [];
    return isPossible([{ ...demand, count: demand.count - 1 }, ...rest], cores, new Set([...used, ...cpus]));
  });
}
