import { expect, test } from 'vitest';
import { type Difference, foldDifferences } from '../../../src/launch/differences.ts';
import type { Judged } from '../../../src/launch/judged.ts';

const judged = (id: string, status: Judged['status'] = 'fail'): Judged => ({
  id,
  domain: 'md',
  status,
  expected: null,
  actual: null,
  evidence: '',
});

function fold(rows: readonly (readonly Judged[])[]): [string, string, string | undefined][] {
  let known: readonly Difference[] = [];
  for (const [index, found] of rows.entries()) known = foldDifferences(known, found, `t${index}`);
  return known.map(({ judged: { id }, since, until }) => [id, since, until]);
}

test('a difference has a beginning and an end, and comes again as another one', () => {
  expect(fold([[judged('a')], [judged('a'), judged('b')], [judged('b')], [judged('a'), judged('b')]])).toEqual([
    ['a', 't0', 't2'],
    ['b', 't1', undefined],
    ['a', 't3', undefined],
  ]);
});

test('what is right, unknown or unsupported is none', () => {
  expect(fold([[judged('a', 'pass'), judged('b', 'unknown'), judged('c', 'unsupported')]])).toEqual([]);
});

test('of what is over the last eight stay', () => {
  const rows = Array.from({ length: 12 }, (_, index) => [judged(`d${index}`)]);
  expect(fold(rows)).toHaveLength(9);
  expect(fold(rows)[0]?.[0]).toBe('d3');
});
