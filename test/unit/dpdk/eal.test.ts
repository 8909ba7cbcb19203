import { describe, expect, test } from 'vitest';
import { ealArguments, withEal } from '../../../src/dpdk/eal.ts';
import { listNotReady, planEal, planProcessEal } from '../../../src/dpdk/eal-plan.ts';
import { HftError } from '../../../src/errors.ts';
import type { PlacedProcess } from '../../../src/launch/placement.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import type { PciNic } from '../../../src/tuning/dpdk/facts.ts';
import { buildMachine } from '../../machine-builder.ts';

const NIC: PciNic = {
  address: '0000:3b:00.0',
  class: '0x020000',
  driver: 'vfio-pci',
  vendor: '0x8086',
  device: '0x1592',
  override: 'vfio-pci',
  driverctl: undefined,
  node: 1,
  group: '40',
  groupMates: [],
  sriov: undefined,
  physical: undefined,
  interfaces: [],
};

/** Two nodes of four CPUs; CPUs 0 and 4 are housekeeping. */
function machineWith(freePages: readonly [number, number], isolated = '1-3,5-7') {
  const facts = buildMachine({ nics: [{ name: 'eth1', driver: 'ice', node: 1, bus: NIC.address }] });
  const nodes = facts.topology.nodes.map((node, index) => ({
    ...node,
    hugepages: [{ pageBytes: 2 ** 30, total: 8, free: freePages[index] as number }],
  }));
  const machine = { ...facts, topology: { ...facts.topology, nodes } };
  return { ...machine, layout: solveLayout(layoutWanted.parse({ nic: 'eth1', isolated }), machine) };
}

const WISH = { devices: [NIC], memoryPerNode: undefined, workers: undefined, filePrefix: 'hft' };

describe('for a process of its own', () => {
  test('workers and memory are on the node of the NIC, the main lcore is a housekeeping CPU there', () => {
    expect(ealArguments(planEal({ ...WISH, machine: machineWith([4, 4]) }))).toEqual([
      ...['-l', '4,5,6,7', '--main-lcore=4', '--socket-mem=0,4096'],
      ...['-a', '0000:3b:00.0', '--file-prefix=hft'],
    ]);
  });

  test('as much memory and as many workers as the profile says', () => {
    const plan = planEal({ ...WISH, machine: machineWith([4, 4]), memoryPerNode: 2 ** 30, workers: 2 });
    expect(plan).toMatchObject({ workers: [5, 6], memoryMib: [0, 1024] });
  });

  test('without a device no PCI device is allowed', () => {
    expect(ealArguments(planEal({ ...WISH, devices: [], machine: machineWith([4, 4]) }))).toContain('--no-pci');
  });

  test('no hugepages left on that node: which, how many, and what makes some', () => {
    const machine = machineWith([4, 0]);
    expect(() => planEal({ ...WISH, machine })).toThrow('Node 1 of testbox has 0 MiB of free hugepages.');
    expect(() => planEal({ ...WISH, machine: machineWith([4, 1]), memoryPerNode: 2 ** 31 })).toThrow(
      'Node 1 of testbox has 1024 MiB of free hugepages; 2048 MiB are wanted (dpdk.eal.memoryPerNode).',
    );
  });

  test('no isolated CPU is an error, not a busy loop on a housekeeping one', () => {
    expect(() => planEal({ ...WISH, machine: machineWith([4, 4], 'none') })).toThrow(HftError);
  });
});

const PROCESS: PlacedProcess = {
  name: 'market-data',
  why: undefined,
  own: [5, 6],
  idle: [],
  rest: [4],
  threads: [],
  memory: { policy: 'bind', nodes: [1], lock: false, hugepages: { '2M': 64, '1G': 1 }, why: '' },
};

describe('for a process of a deployment', () => {
  test('its own CPUs poll, its memory is what it asks for, its name is the prefix', () => {
    expect(ealArguments(planProcessEal(PROCESS, [NIC])).join(' ')).toBe(
      '-l 4,5,6 --main-lcore=4 --socket-mem=0,1152 -a 0000:3b:00.0 --file-prefix=market-data',
    );
  });

  test('without hugepages of its own EAL takes what it needs', () => {
    const memory = { ...PROCESS.memory, hugepages: {} };
    expect(ealArguments(planProcessEal({ ...PROCESS, memory }, [NIC])).join(' ')).not.toContain('socket-mem');
  });

  test('without a CPU of its own it is told what to write', () => {
    expect(() => planProcessEal({ ...PROCESS, own: [] }, [NIC])).toThrow('EAL needs a CPU for its main thread');
    expect(() => planProcessEal({ ...PROCESS, rest: [5] }, [NIC])).toThrow('EAL needs a CPU for its main thread');
  });

  test('the word {eal} of a command stands for them, and nothing else does', () => {
    expect(withEal(['-v', '{eal}', '--', '{eal}x'], ['-l', '4,5'])).toEqual(['-v', '-l', '4,5', '--', '{eal}x']);
  });
});

test('a device that its own driver still has is said so', () => {
  expect(listNotReady([NIC, { ...NIC, driver: 'mlx5_core' }])).toEqual([]);
  expect(listNotReady([{ ...NIC, driver: 'ice' }])).toEqual([
    expect.stringContaining('0000:3b:00.0 is driven by ice now'),
  ]);
});
