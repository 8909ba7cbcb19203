import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CpuSetSyntaxError,
  isSubset,
  parseCpulist,
  parseCpumask,
  printCpulist,
  printCpumask,
  union,
  without,
} from '../../../src/topology/cpulist.ts';

const cpuSets = fc
  .uniqueArray(fc.integer({ min: 0, max: 1023 }))
  .map((cpus) => cpus.sort((left, right) => left - right));

describe('parse and print undo each other', () => {
  test('cpulist', () => {
    fc.assert(
      fc.property(cpuSets, (cpus) => {
        expect(parseCpulist(printCpulist(cpus))).toEqual(cpus);
      }),
    );
  });

  test('cpumask', () => {
    fc.assert(
      fc.property(cpuSets, (cpus) => {
        expect(parseCpumask(printCpumask(cpus))).toEqual(cpus);
      }),
    );
  });

  test('any text is a set or a CpuSetSyntaxError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseCpulist, parseCpumask]) {
          try {
            expect(parse(text).every(Number.isInteger)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(CpuSetSyntaxError);
          }
        }
      }),
    );
  });
});

test.each([
  ['0-3,8', [0, 1, 2, 3, 8]],
  ['8,0-1', [0, 1, 8]],
  ['0-7:2/4', [0, 1, 4, 5]],
  ['\n', []],
])('parseCpulist(%j)', (text, cpus) => {
  expect(parseCpulist(text)).toEqual(cpus);
});

test.each(['3-1', '0-', 'a', '0,,1', '0-9999', '0-7:0/4', '-1'])('parseCpulist(%j) is refused', (text) => {
  expect(() => parseCpulist(text)).toThrow(CpuSetSyntaxError);
});

test.each([
  ['ff', [0, 1, 2, 3, 4, 5, 6, 7]],
  ['1,00000001', [0, 32]],
  ['00000000,00000000', []],
  ['0x3', [0, 1]],
])('parseCpumask(%j)', (text, cpus) => {
  expect(parseCpumask(text)).toEqual(cpus);
});

test('sets', () => {
  expect(union([3, 1], [2, 1])).toEqual([1, 2, 3]);
  expect(without([1, 2, 3], [2])).toEqual([1, 3]);
  expect(isSubset([], [])).toBe(true);
});
