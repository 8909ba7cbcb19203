import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plainText, withPlainTexts } from '../../../src/agent/client/plain-text.ts';
import { checkSentProfile } from '../../../src/agent/daemon/check-profile.ts';
import { inspectMachine } from '../../../src/agent/inspect.ts';
import { isDeep, LIMITS } from '../../../src/agent/protocol/limits.ts';
import { RESULTS, sentPlan } from '../../../src/agent/protocol/results.ts';
import { installedProfiles } from '../../../src/cli/installed-profiles.ts';
import { loadWanted } from '../../../src/cli/wanted.ts';
import { observeAndPlan } from '../../../src/engine/observe.ts';
import type { Plan } from '../../../src/engine/plan.ts';
import { verifyPlan } from '../../../src/engine/verify.ts';
import { HftError } from '../../../src/errors.ts';
import { openSnapshot } from '../../../src/host/snapshot.ts';
import { listProfiles } from '../../../src/profile/list.ts';
import { inspectJson, viewInspected } from '../../../src/views/inspect.ts';
import { viewPlan } from '../../../src/views/plan.ts';
import { planJson } from '../../../src/views/plan-json.ts';
import { drawTopology } from '../../../src/views/topology-svg.ts';
import { viewVerification } from '../../../src/views/verify.ts';

const ROOT = join(import.meta.dirname, '../../..');
const MACHINES = join(ROOT, 'test/machines');
const machines = readdirSync(MACHINES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const store = { ...installedProfiles(ROOT), searchPath: [join(ROOT, 'profiles')] };
const profiles = (await listProfiles(store)).map(({ name }) => name);
const TERMINAL = { columns: 80, color: false };

/** As it is after its way through an agent's answer. */
const sent = <Read>(read: (value: unknown) => Read, value: unknown): Read =>
  read(withPlainTexts(JSON.parse(JSON.stringify(value))));

describe.each(machines.map(({ name }) => name))('%s, seen through its agent', (machine) => {
  test.each(profiles)('the plan of %s is the same', async (name) => {
    const { wanted } = await loadWanted(name, ROOT);
    const reader = await openSnapshot(join(MACHINES, machine));
    try {
      const { plan } = await observeAndPlan({ reader, domains: store.domains, wanted });
      const read = sent((value) => sentPlan.parse(value), plan) as unknown as Plan;
      expect(viewPlan(read, TERMINAL)).toBe(viewPlan(plan, TERMINAL));
      expect(JSON.stringify(planJson(read))).toBe(JSON.stringify(planJson(plan)));
      const verification = verifyPlan(plan);
      const verified = sent((value) => RESULTS.verify.parse(value), verification);
      expect(viewVerification(verified, TERMINAL)).toBe(viewVerification(verification, TERMINAL));
    } catch (error) {
      // A profile that this machine cannot have: there is no plan to send.
      if (!(error instanceof HftError)) throw error;
    } finally {
      await reader.close();
    }
  });

  test('the facts are the same', async () => {
    const reader = await openSnapshot(join(MACHINES, machine));
    const { wanted } = await loadWanted('workstation', ROOT);
    const inspected = await inspectMachine(reader, { wanted, withInventory: false }).finally(() => reader.close());
    const read = sent((value) => RESULTS.inspect.parse(value), inspected) as unknown as typeof inspected;
    expect(JSON.parse(JSON.stringify(inspectJson(read)))).toEqual(JSON.parse(JSON.stringify(inspectJson(inspected))));
    expect(viewInspected(read, TERMINAL)).toBe(viewInspected(inspected, TERMINAL));
    expect(drawTopology(read.machine, read.layout)).toBe(drawTopology(inspected.machine, inspected.layout));
  });
});

describe('a profile that is sent', () => {
  const COMMAND = '/opt/hft/bin/hft';

  test.each(profiles)('%s is the same on the host', async (name) => {
    const { wanted } = await loadWanted(name, ROOT);
    const { layout, latency, domains } = wanted;
    const keys = JSON.parse(JSON.stringify({ layout, ...(latency && { latency }), ...domains }));
    expect(await checkSentProfile({ name, keys, persist: false }, COMMAND)).toEqual(wanted);
  });

  test('is put back at boot by the hft of the host, whatever was sent', async () => {
    const { domains } = await checkSentProfile({ name: 'x', keys: {}, persist: true }, COMMAND);
    expect(domains).toEqual({ persistence: { command: COMMAND } });
    const keys = { persistence: { command: '/tmp/evil' } };
    await expect(checkSentProfile({ name: 'x', keys, persist: true }, COMMAND)).rejects.toThrow(/persistence/);
  });

  test.each([
    [{ extends: '../../etc/shadow' }],
    [{ kernel: { command: 'reboot' } }],
    [{ kernel: { sysctl: { '../../../etc/passwd': 'x' } } }],
    [{ kernel: { sysctl: { 'kernel/../../etc/passwd': 'x' } } }],
    [JSON.parse('{"__proto__": {"polluted": true}}')],
    [{ layout: { isolated: '$(reboot)' } }],
  ])('%j is refused, and nothing is read or run for it', async (keys) => {
    await expect(checkSentProfile({ name: 'x', keys, persist: false }, COMMAND)).rejects.toThrow(HftError);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('text of another host', () => {
  test('is no order to a terminal', () => {
    expect(plainText('a\u001b[31mb\u0007\u009b2J\r\u202ec\td\n')).toBe('a\ufffd[31mb\ufffd\ufffd2J\ufffd\ufffdc\td\n');
    expect(withPlainTexts({ 'k\u001b': ['\u001b', 1, null, true] })).toEqual({ 'k\ufffd': ['\ufffd', 1, null, true] });
  });

  test('depth is told before it is parsed, brackets in texts are none', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect([isDeep(nested(LIMITS.depth)), isDeep(nested(LIMITS.depth + 1))]).toEqual([false, true]);
    expect(isDeep(JSON.stringify(['['.repeat(100), '"\\', '{'.repeat(100)]))).toBe(false);
    expect(isDeep('[]'.repeat(1000))).toBe(false);
  });
});
