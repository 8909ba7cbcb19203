import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NOT_READ } from '../../../src/host/not-read.ts';
import { QuietHost } from '../../../src/host/quiet-host.ts';

const CPU = '/sys/devices/system/cpu';

test.each([
  `${CPU}/cpufreq/policy3/energy_performance_preference`,
  `${CPU}/cpu3/power/energy_perf_bias`,
  `${CPU}/cpu3/cpufreq/scaling_cur_freq`,
  `${CPU}/cpu3/cpufreq/cpuinfo_cur_freq`,
  '/dev/cpu/3/msr',
])('%s is not read: the kernel would interrupt that CPU', async (path) => {
  await expect(new QuietHost().readText(path)).rejects.toMatchObject({ code: NOT_READ, path });
});

test('all else is, of /proc/cpuinfo what it said first', async () => {
  const host = new QuietHost();
  const file = join(mkdtempSync(join(tmpdir(), 'hft-quiet-')), 'energy_performance_available_preferences');
  writeFileSync(file, 'performance\n');
  expect(await host.readText(file)).toBe('performance\n');
  expect(await host.readText(`${file}-not`)).toBeUndefined();
  expect(await host.readText('/proc/cpuinfo')).toBe(await host.readText('/proc/cpuinfo'));
  expect(await host.readText('/proc/cpuinfo')).toContain('processor');
});
