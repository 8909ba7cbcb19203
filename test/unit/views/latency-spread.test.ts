import { describe, expect, test } from 'vitest';
import type { LatencyPlots, Series } from '../../../src/latency/report/plots.ts';
import { viewSpread } from '../../../src/views/latency-spread.ts';
import { describeTerminal } from '../../../src/views/terminal.ts';

function series(variant: string, first: number, shares: readonly number[]): Series {
  return {
    ...{ probe: 'wakeup', variant, cpus: [3], outOf: 1, direction: 'none', pacing: { kind: 'saturated' } },
    ...{ quantity: 'latency', samples: 1000, floorNs: 19, curve: [[1, 100]], bins: { first, shares } },
    maxima: { stepS: 1, maxNs: [] },
  };
}

const plots = (...list: Series[]): LatencyPlots => ({ series: list, matrices: [] });
const WIDE = { columns: 100, color: false };

describe('the spread of samples', () => {
  // From 100 ns on: 90 %, 9 %, 1 % and one in a thousand.
  const shown = viewSpread(plots(series('', 12, [0.9, 0.09, 0.01, 0.001])), WIDE);

  test('steps down by one for a tenth, at its place on the axis', () => {
    const [, axis = '', line = ''] = shown.split('\n');
    expect(axis.trim().split(/\s+/)).toEqual(['100ns', '1us']);
    const bars = [...line].filter((character) => /[▁-█]/.test(character));
    expect([...new Set(bars)].join('')).toBe('█▇▆▅');
    expect(line.indexOf('█')).toBe(axis.indexOf('100ns'));
  });

  test('is ASCII where the locale is', () => {
    const text = viewSpread(plots(series('', 12, [0.9, 0.09, 0.01, 0.001])), { ...WIDE, ascii: true });
    expect(text).not.toMatch(/[^ -~\n]/);
    expect(text).toMatch(/@+#+\*/);
  });

  test.each([60, 80, 200])('keeps to %d columns', (columns) => {
    const many = Array.from({ length: 20 }, (_, index) =>
      series(`one-way 1024 B block 4k pages ${index}`, 6, new Array(50).fill(0.02)),
    );
    const lines = viewSpread(plots(...many), { columns, color: false }).split('\n');
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
    expect(lines.join('\n')).toContain('and 8 more');
  });

  test('is left out where there is no room, and where there is nothing', () => {
    expect(viewSpread(plots(series('', 12, [1])), { columns: 50, color: false })).toBe('');
    expect(viewSpread(plots(series('', 0, [])), WIDE)).toBe('');
  });
});

test.each([
  [{ LANG: 'de_DE.UTF-8' }, false],
  [{ LANG: 'C.utf8' }, false],
  [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, true],
  [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, false],
  [{}, true],
])('the characters of %j', (environment, ascii) => {
  expect(describeTerminal({}, environment).ascii).toBe(ascii);
});
