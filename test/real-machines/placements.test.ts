import { describe, expect, type TestContext, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { openSnapshot } from '../../src/host/snapshot.ts';
import { runningCores } from '../../src/launch/demands.ts';
import type { PlacedMachine } from '../../src/layout/layout.ts';
import { LayoutError } from '../../src/layout/layout-error.ts';
import { readMachine } from '../../src/topology/read.ts';
import { cpusOf, loadProcesses, mistakesOf, place, withRoles } from '../unit/launch/placing.ts';
import { type Dump, findDumps } from './dumps.ts';

/** Deployments on the captured machines of others: as many threads as there are isolated CPUs, and one more. */
const dumps = findDumps();
/** For a slow disk shared with others; a second is usual. */
const READING_LIMIT_MS = 120_000;

if (dumps.length === 0) {
  test('dumps of real machines', (context) => {
    context.skip('no shared/machines beside the repository, and HFT_MACHINE_DUMPS names none');
  });
}

describe.each(dumps.map((dump) => [dump.name, dump] as const))('%s', (_, dump) => {
  test(
    'every isolated CPU has one thread; one thread more is refused with its place',
    async (context) => {
      const machine = await readRoles(dump, context);
      const { isolated } = machine.layout;
      const named = (count: number) => ({ cpus: { count }, threads: { 'w-*': { count } } });
      const first = Math.ceil(isolated.length / 2);
      const rest = isolated.length - first;
      const fitting = await loadProcesses({ first: named(first), ...(rest > 0 && { second: named(rest) }) });
      const cpus = cpusOf(place(fitting, machine));
      const given = [...(cpus['first/w-*'] ?? []), ...(cpus['second/w-*'] ?? [])]
        .map(Number)
        .sort((left, right) => left - right);
      expect(given).toEqual([...isolated]);
      const tooMany = await loadProcesses({ first: named(first), second: named(rest + 1) });
      expect(await mistakesOf(async () => place(tooMany, machine))).toMatch(
        /^\.\/d\.yaml:1:\d+ {2}processes\.second\.cpus: \d+ CPUs? of "isolated" cannot be had/,
      );
    },
    READING_LIMIT_MS,
  );

  test(
    'whole cores: as many as are isolated, with nobody beside them',
    async (context) => {
      const machine = await readRoles(dump, context);
      const cores = runningCores(machine).filter(({ cpus }) =>
        cpus.every((cpu) => machine.layout.isolated.includes(cpu)),
      );
      const wish = (count: number) => loadProcesses({ all: { cpus: { cores: count }, threads: { 'w-*': { count } } } });
      const [process] = place(await wish(cores.length), machine).processes;
      expect([...(process?.own ?? []), ...(process?.idle ?? [])].sort((left, right) => left - right)).toEqual(
        cores.flatMap(({ cpus }) => cpus).sort((left, right) => left - right),
      );
      expect(await mistakesOf(async () => place(await wish(cores.length + 1), machine))).toContain('cannot be had');
    },
    READING_LIMIT_MS,
  );
});

async function readRoles(dump: Dump, context: TestContext): Promise<PlacedMachine> {
  const snapshot = await openSnapshot(dump.archive);
  try {
    return withRoles(await readMachine(snapshot));
  } catch (error) {
    if (error instanceof UsageError) return context.skip('holds no CPUs, so it is no dump of a machine');
    if (error instanceof LayoutError) return context.skip(`has no CPU to isolate: ${error.message}`);
    throw error;
  } finally {
    await snapshot.close();
  }
}
