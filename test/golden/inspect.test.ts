import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Inspected } from '../../src/agent/inspect.ts';
import { inspector } from '../../src/cli/inspect.ts';
import { viewInspected } from '../../src/views/inspect.ts';

const ROOT = join(import.meta.dirname, '../..');
const MACHINES = join(ROOT, 'test/machines');
const machines = readdirSync(MACHINES, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe.each(machines.map((entry) => entry.name))('%s', (machine) => {
  test.each([80, 200])('hft inspect at %i columns', async (columns) => {
    const inspected = await (await inspector(ROOT, { snapshot: join(MACHINES, machine) }))(undefined);
    const text = `${viewInspected(inspected, { columns, color: false })}\n`;
    // A word that is too long for a line stays whole; nothing else is wider than the terminal.
    for (const line of text.split('\n')) expect(line.length <= columns || !line.trim().includes(' ')).toBe(true);
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, machine, `inspect-${columns}.txt`));
  });
});

describe('rows', () => {
  const rowsOf = async (change: (inspected: Inspected) => Inspected) => {
    const first = machines[0]?.name as string;
    const inspected = change(await (await inspector(ROOT, { snapshot: join(MACHINES, first) }))(undefined));
    const [rows = ''] = viewInspected(inspected, { columns: 200, color: false }).split('\n\n');
    return Object.fromEntries(rows.split('\n').map((row) => [row.slice(0, 12).trim(), row.slice(14)]));
  };

  const module = { bank: '', bytes: 16 * 2 ** 30, type: '', speedMTs: undefined };

  test.each([
    ['alike with banks', [1, 2].map((n) => ({ ...module, bank: `A${n}`, type: 'DDR4' })), '2 x 16 GiB DDR4 (A1, A2)'],
    ['without bank and type', [{ ...module, bytes: 2 ** 30 }], '1 x 1 GiB'],
    ['of two kinds', [module, { ...module, type: 'DDR5' }], '1 x 16 GiB, 1 x 16 GiB DDR5'],
    ['none', [], undefined],
  ])('memory modules %s', async (_, memoryModules, expected) => {
    const rows = await rowsOf((inspected) => ({ ...inspected, inventory: { memoryModules, disks: [] } }));
    expect(rows.memory).toBe(expected);
  });

  test.each([
    ['none', [], 'no driver'],
    [undefined, [], 'no driver'],
    ['acpi_idle', [], 'acpi_idle, no states'],
    ['intel_idle', ['POLL', 'C1'], 'intel_idle: POLL, C1'],
  ])('cpuidle driver %s', async (driver, names, expected) => {
    const states = names.map((name) => ({ name, latencyUs: undefined, disabledOn: [] }));
    const idle = { driver, governor: undefined, states };
    const rows = await rowsOf((inspected) => ({ ...inspected, inspection: { ...inspected.inspection, idle } }));
    expect(rows.cpuidle).toBe(expected);
  });

  test('a capture that does not hold everything does not say that there is nothing', async () => {
    const rows = await rowsOf(({ machine, inspection, ...rest }) => ({
      ...rest,
      machine: { ...machine, services: [], kernel: { ...machine.kernel, version: [0, 0] } },
      inspection: { ...inspection, iommu: { units: [], groups: 0 } },
    }));
    expect([rows.cpufreq, rows.cpuidle, rows.iommu, rows.services]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each([
    ['NVIDIA', 'NVIDIA_DGX_Spark', undefined, 'NVIDIA_DGX_Spark'],
    ['Dell Inc.', 'PowerEdge R750', undefined, 'Dell Inc. PowerEdge R750'],
    [undefined, undefined, 'unknown', 'virtual'],
    ['QEMU', 'Standard PC', 'kvm', 'QEMU Standard PC, virtual (kvm)'],
  ])('machine %s %s', async (vendor, product, hypervisor, expected) => {
    const rows = await rowsOf(({ machine, inspection, ...rest }) => ({
      ...rest,
      machine: { ...machine, kernel: { ...machine.kernel, hypervisor } },
      inspection: { ...inspection, firmware: { ...inspection.firmware, vendor, product } },
    }));
    expect(rows.machine).toBe(expected);
  });
});
