import { expect, test } from 'vitest';
import {
  betaBelow,
  binomialBelow,
  logGamma,
  normalBelow,
  studentBelow,
  studentTwoSided,
} from '../../../src/latency/statistics/distributions.ts';
import { seededRandom, xoshiro128pp } from '../../../src/latency/statistics/random.ts';

/** P(K <= k) by adding up, for whole k. */
function summed(k: number, n: number, p: number): number {
  let [term, sum] = [(1 - p) ** n, 0];
  for (let i = 0; i <= k; i++) {
    sum += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return sum;
}

test('ln Γ of whole numbers is the logarithm of the factorial', () => {
  expect(logGamma(1)).toBeCloseTo(0, 12);
  expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 11);
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
});

test.each([
  [3, 10, 0.3],
  [0, 1000, 0.003],
  [17, 1000, 0.01],
  [499, 1000, 0.5],
  [-1, 10, 0.5],
  [10, 10, 0.5],
])('P(K <= %d) of %d trials of %d', (k, n, p) => {
  expect(binomialBelow(k, { n, p })).toBeCloseTo(k < 0 ? 0 : summed(k, n, p), 9);
});

test('a large binomial is as the fraction and the normal agree at their border', () => {
  const [n, p] = [1_000_000, 0.01];
  const atBorder = (k: number) => betaBelow(1 - p, n - k, k + 1);
  const normal = (k: number) => normalBelow((k + 0.5 - n * p) / Math.sqrt(n * p * (1 - p)));
  for (const k of [9805, 10_000, 10_195]) expect(normal(k)).toBeCloseTo(atBorder(k), 2.5);
  expect(binomialBelow(98, { n: 1e8, p: 1e-6 })).toBeCloseTo(0.4469, 3);
});

test('the tables of normal and Student', () => {
  expect([1.959963984540054, -1, -9].map(normalBelow).map((p) => Number(p.toFixed(8)))).toEqual([0.975, 0.15865525, 0]);
  expect([1, 5, 30].map((degrees) => Number(studentTwoSided(degrees, 0.95).toFixed(3)))).toEqual([
    12.706, 2.571, 2.042,
  ]);
  expect(studentBelow(-2.571, 5)).toBeCloseTo(0.025, 4);
});

test('random numbers are those of the reference program, and the same for the same seed', () => {
  const numbers = Array.from({ length: 4 }, xoshiro128pp([1, 2, 3, 4]));
  expect(numbers).toEqual([641, 1_573_767, 3_222_811_527, 3_517_856_514]);
  const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed).bits32);
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('uniform numbers stay inside 0 and 1, and whole ones below their bound', () => {
  const random = seededRandom(1);
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 60_000; i++) {
    const value = random.uniform();
    expect(value > 0 && value < 1).toBe(true);
    const face = random.below(6);
    counts[face] = (counts[face] as number) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});
