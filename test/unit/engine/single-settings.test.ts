import { describe, expect, test } from 'vitest';
import { watchRun } from '../../../src/agent/watch.ts';
import { findInForce, partsInForce } from '../../../src/engine/in-force.ts';
import { readRuns } from '../../../src/engine/journal.ts';
import { confirm, rollback } from '../../../src/engine/rollback.ts';
import { readStatus } from '../../../src/engine/status.ts';
import { type Guard, tune } from '../../../src/engine/tune.ts';
import { makeRig, planRig, type Rig, stateOf, tuneRig, WANTED } from '../../faults/rig.ts';

/** Runs of single settings, as `hft verify latency --fix` makes them: they put no profile in force, and wait to be confirmed. */
const SWAPPINESS = '/proc/sys/vm/swappiness';
const SCOPE = { onlyIds: ['memory.swappiness'] };
const DOMAINS = Object.keys(WANTED.domains);
const PERIODS = { waitingMs: 5, workingMs: 5 };

async function tryOne(rig: Rig, guard: Partial<Guard> = {}) {
  const planned = await planRig(rig, { scope: SCOPE });
  return tune(rig.engine, {
    wanted: WANTED,
    scope: SCOPE,
    planned,
    planAgain: () => planRig(rig, { scope: SCOPE }),
    origin: 'user',
    approve: async () => true,
    guard: { confirmWithinS: 3600, always: true, arm: async () => {}, ...guard },
  });
}

const ids = (changes: readonly { setting: { id: string } }[]) => changes.map(({ setting }) => setting.id);

test('the plan has just these, and nothing that other profiles left', async () => {
  const rig = makeRig();
  await tuneRig(rig, { wanted: { ...WANTED, name: 'other', domains: { irq: {} } } });
  const { plan } = await planRig(rig, { scope: SCOPE });
  expect([ids(plan.changes), ids(plan.satisfied), plan.refused, plan.kept]).toEqual([
    ['memory.swappiness'],
    [],
    [],
    [],
  ]);
});

test('only these are changed, and a rollback gives back exactly them', async () => {
  const rig = makeRig();
  const before = stateOf(rig);
  const { run, after, confirmBy } = await tryOne(rig);
  expect(stateOf(rig)).toEqual({ ...before, [SWAPPINESS]: '0\n' });
  expect(after.changes).toEqual([]);
  expect(confirmBy).toBe('1970-01-01T01:00:00.000Z');
  expect(await rollback(rig.engine, { scope: { run } })).toMatchObject({ complete: true });
  expect(stateOf(rig)).toEqual(before);
});

describe('what is in force', () => {
  test('is nothing after it, and status says what was changed', async () => {
    const rig = makeRig();
    await tryOne(rig);
    await confirm(rig.engine);
    const runs = await readRuns(rig.state);
    expect(findInForce(runs)).toBeUndefined();
    expect(partsInForce(runs, DOMAINS)).toEqual([]);
    const status = await readStatus(rig.host, runs, { host: 'fake', bootId: 'boot-1' });
    expect(status).toMatchObject({ profile: undefined, waiting: undefined, changes: [{ id: 'memory.swappiness' }] });
  });

  test('stays the profile that was, without the settings that were rolled back, and with those that were made again', async () => {
    const rig = makeRig();
    await tuneRig(rig);
    await rollback(rig.engine, { scope: { items: ['memory.swappiness'] } });
    const parts = async () => partsInForce(await readRuns(rig.state), DOMAINS);
    expect((await parts())[0]?.scope).toEqual({ exceptIds: ['memory.swappiness'] });
    await tryOne(rig);
    await confirm(rig.engine);
    expect((await parts()).map(({ wanted, scope }) => [wanted.name, scope])).toEqual([['test', {}]]);
    expect(findInForce(await readRuns(rig.state))?.run).toBe('run-1');
  });
});

describe('its guard', () => {
  test('is at work before anything is written', async () => {
    const rig = makeRig();
    const before = stateOf(rig);
    const seen: Record<string, string>[] = [];
    await tryOne(rig, { arm: async () => void seen.push(stateOf(rig)) });
    expect(seen).toEqual([before]);
  });

  test('that does not start fails the run, with everything as before', async () => {
    const rig = makeRig();
    const before = stateOf(rig);
    const failing = async () => {
      throw new Error('planted');
    };
    await expect(tryOne(rig, { arm: failing })).rejects.toThrow('planted');
    expect(stateOf(rig)).toEqual(before);
  });

  test('takes it back in time, although the host was never out of reach', async () => {
    const rig = makeRig();
    const before = stateOf(rig);
    const { run } = await tryOne(rig, { confirmWithinS: 0.05 });
    expect(await watchRun(rig.engine, run, PERIODS)).toBe('rolled-back');
    expect(stateOf(rig)).toEqual(before);
  });

  test('keeps it when it is confirmed, and ends when it was rolled back', async () => {
    const kept = makeRig();
    const first = await tryOne(kept);
    await confirm(kept.engine);
    expect(await watchRun(kept.engine, first.run, PERIODS)).toBe('confirmed');
    const undone = makeRig();
    const second = await tryOne(undone);
    await rollback(undone.engine, { scope: { run: second.run } });
    expect(await watchRun(undone.engine, second.run, PERIODS)).toBe('settled-elsewhere');
  });

  test('another run does not begin before it is settled', async () => {
    const rig = makeRig();
    await tryOne(rig);
    await expect(tuneRig(rig)).rejects.toThrow(/waits for a confirmation/);
  });
});
