import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareNaturally } from '../../../src/topology/natural-order.ts';

test('numbers in names count as numbers', () => {
  const names = [
    'eth10',
    'eth2',
    'ens1f0',
    'ens1f0np0',
    'ens1',
    'enp130s0',
    'enp59s0',
    'machinecheck9',
    'machinecheck10',
  ];
  expect([...names].sort(compareNaturally)).toEqual([
    'enp59s0',
    'enp130s0',
    'ens1',
    'ens1f0',
    'ens1f0np0',
    'eth2',
    'eth10',
    'machinecheck9',
    'machinecheck10',
  ]);
});

test('names of kernel devices come as the collation of Intl has them', () => {
  const name = fc.stringMatching(/^[a-z]{1,4}\d{1,3}([a-z]\d{1,2})?$/);
  fc.assert(
    fc.property(name, name, (left, right) => {
      const expected = left.localeCompare(right, 'en', { numeric: true });
      // It takes 007 for 7; an order must tell them apart.
      if (expected !== 0) expect(Math.sign(compareNaturally(left, right))).toBe(expected);
    }),
  );
});
