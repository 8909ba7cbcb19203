import fc from 'fast-check';
import { describe, test } from 'vitest';
import { groupCores, nodesInUse } from '../../src/layout/cores.ts';
import { CpuExpressionError, parseCpuExpression } from '../../src/layout/cpu-expression.ts';
import { resolveCpuSet } from '../../src/layout/cpu-set.ts';
import type { Layout } from '../../src/layout/layout.ts';
import { LayoutError } from '../../src/layout/layout-error.ts';
import { layoutWanted } from '../../src/layout/schema.ts';
import { solveLayout } from '../../src/layout/solve.ts';
import { parseCpulist, printCpulist } from '../../src/topology/cpulist.ts';
import type { Machine } from '../../src/topology/machine.ts';
import { buildMachine } from '../machine-builder.ts';
import { takeOffline } from '../unit/layout/machine-shapes.ts';
import { machines } from './machines.ts';

const countWishes = fc.record({
  housekeeping: fc.record({ coresPerNode: fc.integer({ min: 1, max: 3 }) }),
  irq: fc.record({ cores: fc.integer({ min: 0, max: 3 }) }),
  isolated: fc.record({
    cores: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom('most', '25%', '80%')),
    within: fc.constantFrom('all', 'node(0)', 'package(0)'),
  }),
  smt: fc.constantFrom('keep', 'siblings-offline'),
});
const cpuNumbers = fc.array(fc.nat({ max: 16 }), { maxLength: 6 }).map((cpus) => printCpulist(cpus) || 'none');
const numberWishes = fc.record(
  {
    housekeeping: cpuNumbers,
    irq: cpuNumbers,
    isolated: cpuNumbers,
    smt: fc.constantFrom('keep', 'siblings-offline'),
  },
  { requiredKeys: [] },
);
const wishes = fc.oneof(countWishes, numberWishes);

/** The layout, or undefined where the solver says that the machine cannot have it. Anything else thrown is a bug. */
function trySolve(wish: object, machine: Machine): Layout | undefined {
  try {
    return solveLayout(layoutWanted.parse(wish), machine);
  } catch (error) {
    if (error instanceof LayoutError || error instanceof CpuExpressionError) return undefined;
    throw error;
  }
}

/** Checks every machine and wish that have a layout. */
function checkLayouts(check: (layout: Layout, machine: Machine, wish: object) => boolean): void {
  fc.assert(
    fc.property(machines, wishes, (machine, wish) => {
      const layout = trySolve(wish, machine);
      return layout === undefined || check(layout, machine, wish);
    }),
    { numRuns: 500 },
  );
}

function online(machine: Machine): number[] {
  return machine.topology.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.cpu);
}

function rolesOf(layout: Layout): number[] {
  return [...layout.housekeeping, ...layout.irq, ...layout.isolated, ...(layout.offline ?? [])];
}

describe('every layout', () => {
  test('gives each online CPU exactly one role', () => {
    checkLayouts((layout, machine) => same(rolesOf(layout), online(machine)));
  });

  test('keeps the boot CPU housekeeping', () => {
    checkLayouts((layout, machine) => layout.housekeeping.includes(Math.min(...online(machine))));
  });

  test('keeps a housekeeping core on each node in use', () => {
    checkLayouts((layout, machine) => {
      const cores = groupCores(machine.topology);
      const kept = cores.filter((core) => core.cpus.every((cpu) => layout.housekeeping.includes(cpu)));
      return nodesInUse(cores).every((node) => kept.some((core) => core.node === node));
    });
  });

  test('splits no core between roles; with siblings offline, an isolated core has one thread', () => {
    checkLayouts((layout, machine, wish) =>
      groupCores(machine.topology).every((core) => {
        const isolated = core.cpus.filter((cpu) => layout.isolated.includes(cpu));
        if (isolated.length > 0 && 'smt' in wish && wish.smt === 'siblings-offline') return isolated.length === 1;
        return [layout.housekeeping, layout.irq, layout.isolated].some((role) =>
          core.cpus.every((cpu) => role.includes(cpu)),
        );
      }),
    );
  });

  test('has each CPU of the machine in exactly one reason, with its role', () => {
    checkLayouts((layout, machine) => {
      const explained = layout.reasons.flatMap((reason) => reason.cpus);
      const all = machine.topology.cpus.map((cpu) => cpu.cpu);
      const agree = (['housekeeping', 'irq', 'isolated'] as const).every((role) =>
        same(
          layout[role],
          layout.reasons.filter((reason) => reason.role === role).flatMap((reason) => reason.cpus),
        ),
      );
      return same(explained, all) && agree && layout.reasons.every((reason) => reason.why !== '');
    });
  });

  test('does not depend on the order in which the machine was read', () => {
    checkLayouts((layout, machine, wish) => {
      const { topology } = machine;
      const reversed: Machine = {
        ...machine,
        nics: [...machine.nics].reverse(),
        topology: {
          ...topology,
          cpus: [...topology.cpus].reverse(),
          nodes: [...topology.nodes].reverse().map((node) => ({ ...node, distances: [...node.distances].reverse() })),
        },
      };
      return JSON.stringify(trySolve(wish, reversed)) === JSON.stringify(layout);
    });
  });

  test('is the same when it is solved again after its siblings went offline', () => {
    checkLayouts((layout, machine, wish) => {
      const again = trySolve(wish, takeOffline(machine, layout.offline ?? []));
      return (
        again !== undefined &&
        same(again.isolated, layout.isolated) &&
        same(again.housekeeping, layout.housekeeping) &&
        same(again.irq, layout.irq)
      );
    });
  });

  test('can be asked for again by its numbers', () => {
    checkLayouts((layout, machine) => {
      const wish = { housekeeping: list(layout.housekeeping), irq: list(layout.irq), isolated: list(layout.isolated) };
      const kept = takeOffline(machine, layout.offline ?? []);
      const again = trySolve(wish, kept);
      return again !== undefined && same(again.isolated, layout.isolated) && again.refused.length === 0;
    });
  });
});

describe('counts of isolated cores', () => {
  test('a larger number keeps the cores of the smaller one', () => {
    fc.assert(
      fc.property(machines, fc.integer({ min: 1, max: 20 }), (machine, cores) => {
        const fewer = trySolve({ isolated: { cores } }, machine);
        const more = trySolve({ isolated: { cores: cores + 1 } }, machine);
        if (more === undefined) return true;
        return fewer?.isolated.every((cpu) => more.isolated.includes(cpu)) ?? false;
      }),
    );
  });

  test('a number is met exactly or refused; most is the largest number that is met', () => {
    fc.assert(
      fc.property(machines, fc.integer({ min: 0, max: 30 }), (machine, cores) => {
        const isolatedCores = (wish: object) => {
          const layout = trySolve(wish, machine);
          return (
            layout &&
            groupCores(machine.topology).filter((core) => core.cpus.some((cpu) => layout.isolated.includes(cpu))).length
          );
        };
        const most = isolatedCores({ isolated: { cores: 'most' } }) ?? 0;
        const got = isolatedCores({ isolated: { cores } });
        return cores <= most ? got === cores : got === undefined;
      }),
    );
  });
});

describe('CPU set expressions', () => {
  const placed = {
    ...buildMachine(),
    layout: solveLayout(layoutWanted.parse({ isolated: { cores: 'most' } }), buildMachine()),
  };
  const sets = fc.uniqueArray(fc.nat({ max: 7 }), { minLength: 1, maxLength: 8 });

  test('a cpulist means what the kernel means by it', () => {
    fc.assert(fc.property(sets, (cpus) => same(resolveCpuSet(printCpulist(cpus), placed), cpus)));
  });

  test('union, difference and intersection are those of sets', () => {
    fc.assert(
      fc.property(sets, sets, (left, right) => {
        const [a, b] = [printCpulist(left), printCpulist(right)];
        return (
          same(resolveCpuSet(`${a} + ${b}`, placed), [...new Set([...left, ...right])]) &&
          same(
            resolveCpuSet(`${a} - ${b}`, placed),
            left.filter((cpu) => !right.includes(cpu)),
          ) &&
          same(
            resolveCpuSet(`${a}&${b}`, placed),
            left.filter((cpu) => right.includes(cpu)),
          )
        );
      }),
    );
  });

  test('any text is an expression or an error that points into it', () => {
    const words = fc.constantFrom(
      'all',
      'node(0)',
      'nic(',
      ')',
      '0-3',
      '-',
      '+',
      ',',
      '&',
      '(',
      ' ',
      'x',
      '7',
      '%',
      'cores(',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 8 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseCpuExpression(text);
          return true;
        } catch (error) {
          if (!(error instanceof CpuExpressionError)) throw error;
          return error.column >= 1 && error.column <= text.length + 1;
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a list without spaces round-trips through the printer', () => {
    fc.assert(
      fc.property(
        sets,
        (cpus) =>
          printCpulist(resolveCpuSet(printCpulist(cpus), placed)) === printCpulist(parseCpulist(cpus.join(','))),
      ),
    );
  });
});

function same(left: readonly number[], right: readonly number[]): boolean {
  const sorted = (cpus: readonly number[]) => [...cpus].sort((a, b) => a - b).join(',');
  return sorted(left) === sorted(right);
}

function list(cpus: readonly number[]): string {
  return printCpulist(cpus) || 'none';
}
