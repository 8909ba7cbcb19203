import { test as anyTest } from 'vitest';
import type { PtpReport } from '../../src/ptp/report.ts';
import { PtpBed } from './ptp-bed.ts';

/** Each test has a bed of its own, so that they can run beside each other: nearly all of their time is waiting. */
export const test = anyTest.extend<{ bed: PtpBed }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest takes the names of what it needs from it
  bed: async ({}, use) => {
    const bed = await PtpBed.make();
    await use(bed);
    await bed.end();
  },
});

/** What `hft verify ptp` makes of the slave of a bed. */
export async function verify(bed: PtpBed, ...args: readonly string[]) {
  const asked = ['--json', '--socket', bed.socket('slave'), '--domain', '24', ...args];
  const { stdout, stderr, exitCode } = await bed.hft(...asked);
  const report = JSON.parse(stdout || '{}') as PtpReport;
  if (report.results === undefined) throw new Error(stdout + stderr);
  return {
    exitCode,
    report,
    of: (check: string) => report.results.filter(({ id }) => id.startsWith(`ptp.${check}@`)),
    wrong: report.results.filter(({ status }) => status !== 'pass').map(({ id, status }) => `${id} ${status}`),
  };
}

/** A slave that follows a grandmaster, or only watches it. */
export async function sync(bed: PtpBed, options: Readonly<Record<string, string>> = {}): Promise<void> {
  bed.startMaster();
  bed.startSlave(options);
  await bed.until('slave', 'GET PORT_DATA_SET', options.free_running === '1' ? /UNCALIBRATED/ : /SLAVE/);
  await bed.until('slave', 'GET CURRENT_DATA_SET', /meanPathDelay +[1-9]/);
}
