import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseClockReadings } from '../../../src/ptp/clock-readings.ts';
import { compileSanitized, compileStrictly, makeFolder } from '../latency/program.ts';

const folder = makeFolder();
afterAll(() => folder.remove());

describe.each([
  ['as users get it', compileStrictly],
  ['with sanitizers', compileSanitized],
])('hft-probe read-clocks, %s', (_, compile) => {
  let program: string;
  beforeAll(() => {
    program = compile(folder.path);
  });
  const read = (...devices: readonly string[]) =>
    execFileSync(program, ['read-clocks', ...devices], { encoding: 'utf8' });

  test('the system clock of this machine', () => {
    const { system, devices } = parseClockReadings(read());
    expect(system?.resolutionNs).toBeGreaterThan(0);
    expect(system?.resolutionNs).toBeLessThanOrEqual(10_000_000);
    expect(devices).toEqual([]);
  });

  test('what is no PTP clock has the name of its error, and the others are read all the same', () => {
    const { system, devices } = parseClockReadings(read('/dev/null', '/nonexistent/ptp0', '/dev/zero'));
    expect(system).toBeDefined();
    expect(devices).toEqual([
      { clock: '/dev/null', error: 'ENOTTY' },
      { clock: '/nonexistent/ptp0', error: 'ENOENT' },
      { clock: '/dev/zero', error: 'ENOTTY' },
    ]);
  });

  test('a name with quotes breaks no line', () => {
    mkdirSync(join(folder.path, 'odd'), { recursive: true });
    const name = join(folder.path, 'odd', `a"\\b-${program.length}`);
    symlinkSync('/dev/null', name);
    expect(parseClockReadings(read(name)).devices).toMatchObject([{ error: 'ENOTTY' }]);
  });
});
