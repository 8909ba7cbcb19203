import { expect, test } from 'vitest';
import { findNearest } from '../../../src/profile/nearest.ts';

const known = ['swappiness', 'stat_interval', 'thp', 'hugepages', 'nic'];

test.each([
  ['swapiness', 'swappiness'],
  ['SWAPPINESS', 'swappiness'],
  ['hugepage', 'hugepages'],
  ['nci', 'nic'],
  ['thb', 'thp'],
  ['colocation', undefined],
  ['xx', undefined],
])('%s is meant to be %s', (written, meant) => {
  expect(findNearest(written, known)).toBe(meant);
});
