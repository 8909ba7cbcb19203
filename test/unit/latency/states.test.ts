import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/latency/statistics/random.ts';
import { compareStates, type StateFigure } from '../../../src/latency/statistics/states.ts';

const figure = (name: string, before: number[], after: number[]): StateFigure => ({ name, before, after, least: 1e-9 });
const answers = (...figures: StateFigure[]) => {
  const { answer, figures: compared } = compareStates(figures, 1);
  return [answer, ...compared.map((each) => each.answer)];
};

const HIGH = [10, 11, 9, 10.5];
const LOW = [5, 5.5, 4.5, 5.2];

describe('two states by four pairs of runs', () => {
  test.each<[string, StateFigure[], string[]]>([
    ['better', [figure('a', HIGH, LOW)], ['better', 'lower']],
    ['worse', [figure('a', LOW, HIGH)], ['worse', 'higher']],
    ['undecided', [figure('a', HIGH, [11, 9, 10, 10.2])], ['undecided', 'undecided']],
    [
      'better beside what is undecided',
      [figure('a', HIGH, LOW), figure('b', [1, 1.7, 1.2, 1.4], [1.1, 1.5, 1.3, 1.6])],
      ['better', 'lower', 'undecided'],
    ],
    ['mixed', [figure('a', HIGH, LOW), figure('b', LOW, HIGH)], ['mixed', 'lower', 'higher']],
    ['nothing in either', [figure('a', [0, 0, 0, 0], [0, 0, 0, 0])], ['undecided', 'undecided']],
    ['all of it gone', [figure('a', HIGH, [0, 0, 0, 0])], ['better', 'lower']],
  ])('%s', (_, figures, expected) => {
    expect(answers(...figures)).toEqual(expected);
  });

  test('three pairs prove nothing, whatever they show', () => {
    expect(answers(figure('a', HIGH.slice(1), LOW.slice(1)))).toEqual(['undecided', 'undecided']);
  });

  test('the means are geometric, and what no run can see is the least', () => {
    const { figures } = compareStates([{ ...figure('a', [1, 4, 1, 4], [0, 0, 0, 0]), least: 0.5 }], 1);
    expect(figures[0]?.before).toBeCloseTo(2, 9);
    expect(figures[0]?.after).toBeCloseTo(0.5, 9);
  });
});

test('states that do not differ are told apart in at most 5 % of all trials, three figures together', () => {
  const random = seededRandom(20261121);
  const noisy = () => Array.from({ length: 4 }, () => Math.exp(random.uniform() + random.uniform()));
  const trials = 600;
  let wrong = 0;
  for (let trial = 0; trial < trials; trial++) {
    const figures = ['a', 'b', 'c'].map((name) => figure(name, noisy(), noisy()));
    if (compareStates(figures, 1).answer !== 'undecided') wrong++;
  }
  // Nominal 2 of 70 in each; three standard errors above 5 %.
  expect(wrong / trials).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / trials));
  expect(wrong).toBeGreaterThan(0);
});
