import { expect, test } from 'vitest';
import { counter, gauge, printFamilies, whenKnown } from '../../../src/metrics/exposition.ts';

test('values of labels are escaped as Prometheus reads them, and nothing else is', () => {
  const text = printFamilies([gauge('a', 'one\ntwo\\', [[{ name: 'x"y\\z\n\u0001é' }, 1]])]);
  expect(text).toBe('# HELP a one\\ntwo\\\\\n# TYPE a gauge\na{name="x\\"y\\\\z\\n\u0001é"} 1\n');
});

test('numbers are spelled as Prometheus spells them', () => {
  const values = [0, -1.5, 1e-9, 1e21, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  const text = printFamilies([
    counter(
      'a_total',
      'A.',
      values.map((value, index) => [{ index: String(index) }, value]),
    ),
  ]);
  expect(
    text
      .split('\n')
      .slice(2, -1)
      .map((line) => line.split(' ')[1]),
  ).toEqual(['0', '-1.5', '1e-9', '1e+21', '+Inf', '-Inf', 'NaN']);
});

test('a family without samples is left out', () => {
  expect(
    printFamilies([gauge('a', 'A.', []), gauge('b', 'B.', whenKnown(undefined)), gauge('c', 'C.', whenKnown(0))]),
  ).toBe('# HELP c C.\n# TYPE c gauge\nc 0\n');
});
