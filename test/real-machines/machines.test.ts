import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, type TestContext, test } from 'vitest';
import { openSnapshot } from '../../src/host/snapshot.ts';
import type { Machine } from '../../src/topology/machine.ts';
import { readMachine } from '../../src/topology/read.ts';
import { type Dump, findDumps, unpack } from './dumps.ts';
import { judge } from './judge.ts';
import { isInstalled } from './oracles.ts';

/**
 * Every captured machine as lscpu and hwloc see it: CPUs, cores, packages, nodes, online state and caches. Where those
 * two deviate from each other or from the kernel is in peculiarities.ts.
 */
const dumps = findDumps();
/** For a slow disk shared with others; a second is usual. */
const UNPACKING_LIMIT_MS = 120_000;
const oracles = { lscpu: isInstalled('lscpu'), hwloc: isInstalled('hwloc-ls') };

function skip(context: TestContext, reason: string): void {
  console.warn(`${context.task.name}: ${reason}`);
  context.skip(reason);
}

if (dumps.length === 0) {
  test('dumps of real machines', (context) => {
    skip(context, 'no shared/machines beside the repository, and HFT_MACHINE_DUMPS names none');
  });
}

describe.each(dumps.map((dump) => [dump.name, dump] as const))('%s', (_, dump) => {
  test(
    'is the machine that lscpu and hwloc see',
    async (context) => {
      if (!oracles.lscpu || !oracles.hwloc) skip(context, 'needs lscpu (util-linux) and hwloc-ls (hwloc) installed');
      const root = unpackForTest(dump);
      if (!holdsCpus(root)) skip(context, 'holds no CPUs, so it is no dump of a machine');
      const machine = await readDump(dump);
      const verdict = judge(machine, root);
      if ('why' in verdict) skip(context, verdict.why);
      expect(verdict).toEqual({ lscpu: [], hwloc: [] });
    },
    UNPACKING_LIMIT_MS,
  );
});

function unpackForTest(dump: Dump): string {
  const { root, folder } = unpack(dump);
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return root;
}

function holdsCpus(root: string): boolean {
  return ['sys/devices/system/cpu', 'proc/cpuinfo'].some((name) => fs.existsSync(path.join(root, name)));
}

async function readDump(dump: Dump): Promise<Machine> {
  const snapshot = await openSnapshot(dump.archive);
  try {
    return await readMachine(snapshot);
  } finally {
    await snapshot.close();
  }
}
