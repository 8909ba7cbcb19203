import { describe, expect, test } from 'vitest';
import { LayoutError } from '../../../src/layout/layout-error.ts';
import type { Machine } from '../../../src/topology/machine.ts';
import { buildMachine } from '../../machine-builder.ts';
import {
  addNodeWithoutCpus,
  buildFeatureless,
  buildHybrid,
  renumber,
  takeOffline,
  withAdjacentSiblings,
} from './machine-shapes.ts';
import { COLO, solve, TWO_NICS, thrownBy } from './solving.ts';

describe('machine shapes: one housekeeping core per node, interrupts on the NIC node, the rest isolated', () => {
  const shapes: [string, Machine, { housekeeping: string; irq: string; isolated: string }][] = [
    [
      'two sockets in blocks, NIC on node 1',
      buildMachine({ nics: TWO_NICS }),
      { housekeeping: '0,4', irq: '5', isolated: '1-3,6-7' },
    ],
    [
      'two sockets, even and odd CPU numbers',
      buildMachine({ numbering: 'interleaved', nics: TWO_NICS }),
      { housekeeping: '0-1', irq: '3', isolated: '2,4-7' },
    ],
    [
      'SMT: whole cores with both threads',
      buildMachine({ threads: 2, nics: TWO_NICS }),
      { housekeeping: '0,4,8,12', irq: '5,13', isolated: '1-3,6-7,9-11,14-15' },
    ],
    [
      'SMT with siblings next to each other',
      withAdjacentSiblings(buildMachine({ threads: 2, nics: TWO_NICS }), 8, 2),
      { housekeeping: '0-1,8-9', irq: '10-11', isolated: '2-7,12-15' },
    ],
    [
      'four threads per core (POWER)',
      buildMachine({ packages: 1, coresPerPackage: 4, threads: 4, nics: [{ name: 'eth1' }] }),
      { housekeeping: '0,4,8,12', irq: '1,5,9,13', isolated: '2-3,6-7,10-11,14-15' },
    ],
    [
      'sub-NUMA clusters: one housekeeping core in each of four nodes',
      buildMachine({ nodesPerPackage: 2, nics: [{ name: 'eth1', node: 3 }] }),
      { housekeeping: '0,2,4,6', irq: '7', isolated: '1,3,5' },
    ],
    [
      'several L3 per socket: the interrupt core shares the cache of housekeeping',
      buildMachine({ packages: 1, coresPerPackage: 8, l3PerPackage: 4, nics: [{ name: 'eth1' }] }),
      { housekeeping: '0', irq: '1', isolated: '2-7' },
    ],
    [
      'CPU 0 offline: the lowest online CPU boots',
      takeOffline(buildMachine({ nics: TWO_NICS }), [0]),
      { housekeeping: '1,4', irq: '5', isolated: '2-3,6-7' },
    ],
    [
      'sparse CPU numbers',
      renumber(buildMachine({ nics: TWO_NICS }), (cpu) => cpu * 3),
      { housekeeping: '0,12', irq: '15', isolated: '3,6,9,18,21' },
    ],
    [
      'the NIC on a node that has memory only: the nearest node serves it',
      addNodeWithoutCpus(buildMachine({ packages: 1, nics: [{ name: 'eth1', node: 1 }] }), 1, 17),
      { housekeeping: '0', irq: '1', isolated: '2-3' },
    ],
    [
      'a NIC of no known node',
      buildMachine({ packages: 1, nics: [{ name: 'eth1', node: undefined }] }),
      { housekeeping: '0', irq: '1', isolated: '2-3' },
    ],
    [
      'a NIC of node -1',
      buildMachine({ packages: 1, nics: [{ name: 'eth1', node: -1 }] }),
      { housekeeping: '0', irq: '1', isolated: '2-3' },
    ],
    [
      'hybrid: efficiency cores are housekeeping',
      { ...buildHybrid(4, 4), nics: buildMachine({ nics: [{ name: 'eth1' }] }).nics },
      { housekeeping: '0-1,8-11', irq: '2-3', isolated: '4-7' },
    ],
    [
      'a virtual machine that says nothing of cores and nodes',
      { ...buildFeatureless(4), nics: buildMachine({ nics: [{ name: 'eth1', node: undefined }] }).nics },
      { housekeeping: '0', irq: '1', isolated: '2-3' },
    ],
    [
      '256 CPUs',
      buildMachine({ coresPerPackage: 64, threads: 2, nics: TWO_NICS }),
      { housekeeping: '0,64,128,192', irq: '65,193', isolated: '1-63,66-127,129-191,194-255' },
    ],
  ];

  test.each(shapes)('%s', (_name, machine, expected) => {
    expect(solve(COLO, machine)).toMatchObject(expected);
  });
});

describe('small machines', () => {
  test('two CPUs: one and one, and housekeeping serves the interrupts', () => {
    const result = solve(COLO, buildMachine({ packages: 1, coresPerPackage: 2, nics: [{ name: 'eth1' }] }));
    expect(result).toMatchObject({ housekeeping: '0', irq: '', isolated: '1', refused: ['layout.irq.cores'] });
  });

  test('three CPUs: one of each', () => {
    const result = solve(COLO, buildMachine({ packages: 1, coresPerPackage: 3, nics: [{ name: 'eth1' }] }));
    expect(result).toMatchObject({ housekeeping: '0', irq: '1', isolated: '2', refused: [] });
  });

  test('extra housekeeping gives way before interrupt cores do', () => {
    const wanted = { ...COLO, housekeeping: { coresPerNode: 2 } };
    const result = solve(wanted, buildMachine({ packages: 1, coresPerPackage: 3, nics: [{ name: 'eth1' }] }));
    expect(result).toMatchObject({
      housekeeping: '0',
      irq: '1',
      isolated: '2',
      refused: ['layout.housekeeping.coresPerNode'],
    });
  });

  test.each([
    [
      'one CPU',
      buildMachine({ packages: 1, coresPerPackage: 1 }),
      /testbox has one core \(CPU 0\), and the kernel needs it/,
    ],
    [
      'one core with two threads',
      buildMachine({ packages: 1, coresPerPackage: 1, threads: 2 }),
      /one core \(CPUs 0-1\)/,
    ],
    [
      'two nodes of one core',
      buildMachine({ packages: 2, coresPerPackage: 1 }),
      /0 of its 2 cores can be isolated\. CPUs 0-1 must stay/,
    ],
  ])('%s: refused with the reason', (_name, machine, message) => {
    const error = thrownBy(() => solve(COLO, machine));
    expect(error).toBeInstanceOf(LayoutError);
    expect(error).toMatchObject({ exitCode: 2, key: 'isolated', message: expect.stringMatching(message) });
    expect((error as LayoutError).next).not.toEqual([]);
  });

  test('nothing to isolate is no error: every CPU is housekeeping', () => {
    expect(solve({}, buildMachine({ packages: 1, coresPerPackage: 1 }))).toMatchObject({
      housekeeping: '0',
      isolated: '',
      refused: [],
    });
  });

  test('a machine without an online CPU is refused', () => {
    expect(() => solve({}, takeOffline(buildMachine({ packages: 1, coresPerPackage: 1 }), [0]))).toThrow(
      /shows no online CPU/,
    );
  });
});

describe('reasons', () => {
  test('each says what was looked at', () => {
    const machine = takeOffline(buildMachine({ coresPerPackage: 6, l3PerPackage: 2, nics: TWO_NICS }), [5]);
    const { layout } = solve({ ...COLO, isolated: { cores: 5 } }, machine);
    expect(layout.reasons).toEqual([
      { cpus: [0], role: 'housekeeping', why: "the kernel's own work cannot leave the boot CPU 0" },
      { cpus: [1, 2, 4], role: 'housekeeping', why: 'left over: layout.isolated wants 5 cores' },
      {
        cpus: [3],
        role: 'isolated',
        why: 'on NUMA node 0, at distance 21: the cores of node 1 are taken first; its L3 cache is shared with housekeeping CPUs',
      },
      { cpus: [5], role: 'offline', why: 'offline' },
      { cpus: [6], role: 'housekeeping', why: "one core of NUMA node 1 stays for the kernel's work on that node" },
      { cpus: [7], role: 'irq', why: 'serves the interrupts of eth1 on its own NUMA node 1' },
      {
        cpus: [8],
        role: 'isolated',
        why: 'on NUMA node 1, where eth1 is; its L3 cache is shared with housekeeping and irq CPUs',
      },
      { cpus: [9, 10, 11], role: 'isolated', why: 'on NUMA node 1, where eth1 is; nobody else uses its L3 cache' },
    ]);
  });
});
