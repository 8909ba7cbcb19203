import { describe, expect, test } from 'vitest';
import { chooseTraceClock, isSameLine } from '../../../../src/latency/attribution/trace-clock.ts';

const NEW = '[local] global counter uptime perf mono mono_raw boot tai x86-tsc';
const ARM = '[local] global counter uptime perf mono mono_raw boot tai';
const OLD = 'local [global] counter';

describe('the trace clock that is on one time line with the gaps', () => {
  test.each([
    ['tsc', NEW, 'x86-tsc'],
    ['tsc', 'local [x86-tsc]\n', 'x86-tsc'],
    ['raw', NEW, 'mono_raw'],
    ['raw', ARM, 'mono_raw'],
    ['raw', '[mono_raw]\n', 'mono_raw'],
  ] as const)('%s of %j: %s', (source, offered, clock) => {
    expect(chooseTraceClock({ source }, offered)).toEqual({ clock });
    expect(isSameLine(clock, source)).toBe(true);
  });

  test.each([
    ['tsc', ARM, 'x86-tsc'],
    ['raw', OLD, 'mono_raw'],
    // mono is another clock: adjtimex(2) changes its speed.
    ['raw', '[local] mono', 'mono_raw'],
    ['raw', '', 'mono_raw'],
    ['cntvct', ARM, 'cntvct'],
    ['cntvct', NEW, 'cntvct'],
  ] as const)('%s of %j: none, and why', (source, offered, named) => {
    expect(chooseTraceClock({ source }, offered)).toEqual({ reason: expect.stringContaining(named) });
  });

  test('no other pair is', () => {
    expect([isSameLine('x86-tsc', 'raw'), isSameLine('mono_raw', 'tsc'), isSameLine('mono_raw', 'cntvct')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
