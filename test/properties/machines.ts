import fc from 'fast-check';
import type { Machine } from '../../src/topology/machine.ts';
import { buildMachine } from '../machine-builder.ts';
import { takeOffline } from '../unit/layout/machine-shapes.ts';

const nicNode = fc.constantFrom(undefined, -1, 0, 1, 2, 7);
/** Machines of 1 to 4 packages, with and without SMT, NICs on nodes that are there or not, and CPUs offline. */
export const machines: fc.Arbitrary<Machine> = fc
  .record({
    packages: fc.integer({ min: 1, max: 4 }),
    coresPerPackage: fc.integer({ min: 1, max: 12 }),
    threads: fc.constantFrom(1, 2, 4),
    l3PerPackage: fc.integer({ min: 1, max: 4 }),
    nodesPerPackage: fc.integer({ min: 1, max: 3 }),
    numbering: fc.constantFrom('blocks', 'interleaved') as fc.Arbitrary<'blocks' | 'interleaved'>,
    nics: fc.array(fc.record({ node: nicNode, physical: fc.boolean(), carriesSession: fc.boolean() }), {
      maxLength: 3,
    }),
    offline: fc.array(fc.nat({ max: 190 }), { maxLength: 6 }),
  })
  .map(({ offline, nics, ...shape }) => {
    const named = nics.map((nic, index) => ({ name: `eth${index}`, ...nic })) as { name: string }[];
    const machine = buildMachine({ ...shape, nics: named });
    const present = offline.filter((cpu) => cpu < machine.topology.cpus.length);
    return new Set(present).size < machine.topology.cpus.length ? takeOffline(machine, present) : machine;
  });
