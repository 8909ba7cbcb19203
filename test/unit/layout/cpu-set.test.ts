import { describe, expect, test } from 'vitest';
import { resolveCpuSet } from '../../../src/layout/cpu-set.ts';
import type { PlacedMachine } from '../../../src/layout/layout.ts';
import { layoutWanted } from '../../../src/layout/schema.ts';
import { solveLayout } from '../../../src/layout/solve.ts';
import { printCpulist } from '../../../src/topology/cpulist.ts';
import type { Machine } from '../../../src/topology/machine.ts';
import { buildMachine } from '../../machine-builder.ts';
import { addNodeWithoutCpus, buildFeatureless, buildHybrid, takeOffline } from './machine-shapes.ts';

const NICS = [
  { name: 'eth0', node: 0, carriesSession: true },
  { name: 'eth1', node: 1, uppers: ['bond0'] },
  { name: 'bond0', node: undefined, physical: false },
  { name: 'vnet0', node: undefined, physical: false },
];

function place(machine: Machine, wanted: object = { irq: { cores: 1 }, isolated: { cores: 'most' } }): PlacedMachine {
  return { ...machine, layout: solveLayout(layoutWanted.parse(wanted), machine) };
}

/** housekeeping 0,4,8,12; irq 5,13; isolated 1-3,6-7,9-11,14-15; NIC eth1 on node 1 */
const server = place(buildMachine({ threads: 2, l3PerPackage: 2, nics: NICS }));

describe('resolveCpuSet', () => {
  test.each([
    ['housekeeping', '0,4,8,12'],
    ['irq', '5,13'],
    ['isolated', '1-3,6-7,9-11,14-15'],
    ['all', '0-15'],
    ['none', ''],
    ['0-3,8', '0-3,8'],
    ['0-14:1/2', '0,2,4,6,8,10,12,14'],
    ['node(0)', '0-3,8-11'],
    ['node(0-1)', '0-15'],
    ['package(1)', '4-7,12-15'],
    ['l3(1)', '2-3,10-11'],
    ['nic', '4-7,12-15'],
    ['nic(eth0)', '0-3,8-11'],
    ['nic(bond0)', '4-7,12-15'],
    ['nic(vnet0)', '0-15'],
    ['cores(2)', '2,10'],
    ['primary(node(1))', '4-7'],
    ['node(1) & isolated', '6-7,14-15'],
    ['all - 0,1', '2-15'],
    ['all-node(0)', '4-7,12-15'],
    ['node(0) - 0-1 + 15', '2-3,8-11,15'],
    ['0-3 & node(0) + 4', '0-4'],
    ['all - (node(0) + 4)', '5-7,12-15'],
    ['  isolated ,  irq ', '1-3,5-7,9-11,13-15'],
  ])('%s', (expression, expected) => {
    expect(printCpulist(resolveCpuSet(expression, server))).toBe(expected);
  });

  test('a plain number, as YAML gives it', () => {
    expect(resolveCpuSet(3, server)).toEqual([3]);
  });

  test('irq means housekeeping where no CPUs are set apart for interrupts', () => {
    expect(resolveCpuSet('irq', place(buildMachine({ packages: 1 }), {}))).toEqual([0, 1, 2, 3]);
  });

  test('kinds of cores of a hybrid machine', () => {
    const hybrid = place(buildHybrid(4, 4));
    expect(printCpulist(resolveCpuSet('performance', hybrid))).toBe('0-7');
    expect(printCpulist(resolveCpuSet('efficiency', hybrid))).toBe('8-11');
  });

  test('a NIC on a node without CPUs: those of the nearest node', () => {
    const nics = [{ name: 'eth1', node: 2 }];
    expect(resolveCpuSet('nic(eth1)', place(addNodeWithoutCpus(buildMachine({ nics }), 2, 30)))).toEqual([0, 1, 2, 3]);
  });

  test.each([
    ['', 1, 'expected a CPU number, a name or (, got the end'],
    ['0-3,', 5, 'expected a CPU number, a name or (, got the end'],
    ['3-1', 1, 'expected numbers such as 0-3,8, got "3-1"'],
    ['0-7-3', 4, 'a - right after a number reads as a range'],
    ['all 3', 5, 'expected one of + - & , or the end, got "3"'],
    ['(all', 5, 'expected ), got the end'],
    ['all * 2', 5, 'unexpected "*"'],
    ['isolatd', 1, 'unknown name "isolatd"'],
    ['numa(0)', 1, 'unknown name "numa"'],
    ['node', 1, 'node needs a number: node(0)'],
    ['node()', 6, 'node() needs a number'],
    ['node(x)', 6, 'expected numbers such as 0-3,8, got "x"'],
    ['nic(eth1', 4, 'nic( is not closed: expected )'],
    ['irq(1)', 1, 'irq takes no argument'],
    ['all + node(7)', 7, 'there is no NUMA node 7 on testbox (with CPUs: 0-1)'],
    ['l3(9)', 1, 'there is no L3 cache 9 on testbox (with CPUs: 0-3)'],
    ['nic(eth9)', 1, 'there is no NIC eth9 on testbox (NICs: bond0, eth0, eth1, vnet0)'],
    ['0-3,16-17', 5, 'CPUs 16-17: not on testbox, which has CPUs 0-15'],
  ])('%j: column %i, %s', (expression, column, problem) => {
    expect(() => resolveCpuSet(expression, server)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        column,
        message: `CPU set "${expression}", column ${column}: ${problem}`,
      }),
    );
  });

  test('a name that is nearly right gets a suggestion', () => {
    expect(() => resolveCpuSet('Isolated', server)).toThrow(
      expect.objectContaining({ next: expect.arrayContaining(['Did you mean "isolated"?']) }),
    );
  });

  test('an offline CPU, with the column of its number', () => {
    const machine = place(takeOffline(buildMachine({ packages: 1, coresPerPackage: 8 }), [6]));
    expect(() => resolveCpuSet('0,5-7', machine)).toThrow(
      expect.objectContaining({
        column: 3,
        message: 'CPU set "0,5-7", column 3: CPU 6: offline on testbox, or to be taken offline (layout.smt)',
      }),
    );
    expect(resolveCpuSet('all', machine)).toEqual([0, 1, 2, 3, 4, 5, 7]);
  });

  test('siblings that go offline belong to no set, before they are offline as after', () => {
    const wanted = { isolated: { cores: 'most' }, smt: 'siblings-offline' };
    const machine = place(buildMachine({ packages: 1, threads: 2 }), wanted);
    for (const set of ['all', 'node(0)', 'cores(all)']) expect(printCpulist(resolveCpuSet(set, machine))).toBe('0-4');
    expect(() => resolveCpuSet('5', machine)).toThrow('CPU 5: offline on testbox');
  });

  test('a node without CPUs and a machine without nodes say so', () => {
    const machine = place(addNodeWithoutCpus(buildMachine({ packages: 1 }), 1, 20));
    expect(() => resolveCpuSet('node(1)', machine)).toThrow('NUMA node 1 of testbox has no online CPUs (with CPUs: 0)');
    expect(() => resolveCpuSet('node(0)', place(buildFeatureless(2)))).toThrow(
      'there is no NUMA node 0 on testbox (with CPUs: none)',
    );
  });

  test('nic without a trading NIC', () => {
    expect(() => resolveCpuSet('nic', place(buildMachine()))).toThrow('no trading NIC was found on testbox');
  });
});
