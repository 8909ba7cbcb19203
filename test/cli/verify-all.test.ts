import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { AllVerified } from '../../src/cli/verify-all.ts';
import { buildWhenStale, cleanEnvironment, runShell } from './run-hft.ts';

const TIME_LIMIT_MS = 180_000;
const environment = cleanEnvironment();
environment.HFT_RUN_DIR = join(environment.HFT_STATE_DIR ?? '', 'run');

beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);

function verifyAll(flags: string) {
  const { stdout, exitCode } = runShell(`hft verify all ${flags} --json`, { environment });
  return { exitCode, json: JSON.parse(stdout) as AllVerified };
}

const reasons = ({ left }: AllVerified) => Object.fromEntries(left.map(({ part, because }) => [part, because]));

describe('hft verify all', { timeout: TIME_LIMIT_MS }, () => {
  test('where there is nothing to verify proves nothing', () => {
    const { json, exitCode } = verifyAll('--skip latency');
    expect(exitCode).toBe(1);
    expect(reasons(json)).toEqual({
      settings: 'nothing to verify',
      processes: 'nothing to verify',
      ptp: 'nothing to verify',
      dpdk: 'nothing to verify',
      latency: 'left out',
    });
    expect(runShell('hft verify all --skip latency', { environment }).stdout).toMatch(/^Nothing was verified\.\n/);
  });

  test('answers with the settings as `hft verify settings` does, and with latency as `hft verify latency` does', () => {
    const { json, exitCode } = verifyAll('--profile baseline');
    const settings = JSON.parse(runShell('hft verify settings -p baseline --json', { environment }).stdout) as object;
    expect(json.settings).toMatchObject({
      profile: 'baseline',
      summary: (settings as AllVerified['settings'])?.summary,
    });
    expect(json.latency?.probes.length).toBeGreaterThan(0);
    expect(json.profile).toBe('baseline');
    expect(json.settings?.summary.fail).toBeGreaterThan(0);
    expect(exitCode).toBe(1);
  });

  test('a profile that is not there is one error, and nothing is verified', () => {
    const { exitCode, stderr } = runShell('hft verify all --profile nope', { environment });
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^There is no profile nope/)]);
  });
});
