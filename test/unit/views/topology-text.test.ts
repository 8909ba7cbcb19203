import { describe, expect, test } from 'vitest';
import { explainLayout } from '../../../src/layout/explain.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import type { Machine } from '../../../src/topology/machine.ts';
import { printBytes, renderLayout } from '../../../src/views/topology-text.ts';
import { buildMachine } from '../../machine-builder.ts';
import { addNodeWithoutCpus, buildFeatureless, buildHybrid, takeOffline } from '../layout/machine-shapes.ts';

const COLO = { irq: { cores: 1 }, isolated: { cores: 'most' } };
const NICS = [
  { name: 'eth0', node: 0, carriesSession: true },
  { name: 'eth1', node: 1 },
];

function render(machine: Machine, wanted: object = COLO): string {
  return renderLayout(explainLayout(solveLayout(layoutWanted.parse(wanted), machine), machine));
}

describe('the layout as text', () => {
  test('roles first, then each part of the machine with its CPUs, role and why', () => {
    expect(render(buildMachine({ threads: 2, l3PerPackage: 2, nics: NICS }))).toBe(`testbox
  housekeeping  2 cores     0,4,8,12
  irq           1 core      5,13
  isolated      5 cores     1-3,6-7,9-11,14-15
  trading NIC   eth1: best of 2 physical NICs: not carrying the session, link
                up, on NUMA node 1, 25 Gbit/s

Package 0, NUMA node 0, 32 GiB, eth0
  L3 0
    0,8                     housekeeping  the kernel's own work cannot leave the
                                          boot CPU 0 (CPU 8: same core)
    1,9                     isolated      on NUMA node 0, at distance 21: the
                                          cores of node 1 are taken first; its
                                          L3 cache is shared with housekeeping
                                          CPUs
  L3 1
    2-3,10-11               isolated      on NUMA node 0, at distance 21: the
                                          cores of node 1 are taken first;
                                          nobody else uses its L3 cache

Package 1, NUMA node 1, 32 GiB, eth1
  L3 2
    4,12                    housekeeping  one core of NUMA node 1 stays for the
                                          kernel's work on that node
    5,13                    irq           serves the interrupts of eth1 on its
                                          own NUMA node 1
  L3 3
    6-7,14-15               isolated      on NUMA node 1, where eth1 is; nobody
                                          else uses its L3 cache
`);
  });

  test('what was refused stands at the end', () => {
    expect(render(buildMachine({ packages: 1, coresPerPackage: 8 }), { isolated: '0-7' })).toMatch(
      /\n\nRefused\n {2}layout\.isolated@0\n {4}CPU 0: stays housekeeping, the kernel's own work cannot leave the boot CPU 0\n$/,
    );
  });

  test('caches with the same roles share a table: 256 CPUs in few lines', () => {
    const text = render(buildMachine({ coresPerPackage: 64, threads: 2, l3PerPackage: 8, nics: NICS }));
    expect(text.split('\n').length).toBeLessThan(40);
    expect(text).toContain('  L3 1-7\n    8-63,136-191            isolated');
  });

  test.each([
    [
      'interleaved, siblings offline',
      buildMachine({ coresPerPackage: 64, threads: 2, numbering: 'interleaved', nics: NICS }),
      { ...COLO, smt: 'siblings-offline' },
    ],
    ['hybrid', buildHybrid(8, 16), COLO],
    ['featureless', buildFeatureless(4), COLO],
    [
      'offline, memory only',
      addNodeWithoutCpus(takeOffline(buildMachine({ nics: NICS }), [2]), 5, 30),
      { isolated: '1-3' },
    ],
  ])('%s: at most 80 columns, no blanks at line ends', (_name, machine, wanted) => {
    const lines = render(machine, wanted).split('\n');
    expect(lines.filter((line) => line.length > 80 || line.endsWith(' '))).toEqual([]);
  });

  test('nodes without CPUs, NICs of no node and offline CPUs are named', () => {
    const machine = addNodeWithoutCpus(
      takeOffline(buildMachine({ nics: [...NICS, { name: 'eth2', node: -1 }] }), [2]),
      5,
      30,
    );
    const text = render(machine);
    expect(text).toContain('NUMA node 5: no CPUs, 64 GiB');
    expect(text).toContain('NICs of no known node: eth2');
    expect(text).toContain('Offline CPUs: 2');
  });

  test('without a layout, what the running kernel isolates', () => {
    const machine = buildMachine({ kernel: { isolated: [2, 3] } });
    expect(renderLayout(explainLayout(undefined, machine))).toContain(
      '    2-3                     isolated      isolated by the running kernel\n',
    );
  });

  test.each([
    [0, '0 B'],
    [1536, '1.5 KiB'],
    [48 * 2 ** 20, '48 MiB'],
    [2 ** 30, '1 GiB'],
    [1.5 * 2 ** 40, '1.5 TiB'],
  ])('%d bytes: %s', (bytes, text) => {
    expect(printBytes(bytes)).toBe(text);
  });
});
