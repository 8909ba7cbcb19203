import { describe, expect, test } from 'vitest';
import { makeRig, recoverRig, stateOf, tuneRig } from './rig.ts';

/** How many writes and appends a whole run makes, so that every one of them can be the last. */
async function countOperations(): Promise<{ writes: number; appends: number }> {
  const rig = makeRig();
  await tuneRig(rig);
  return { writes: rig.host.writeCount, appends: rig.state.appends };
}

const { writes, appends } = await countOperations();
const everyWrite = Array.from({ length: writes }, (_, index) => index + 1);
const everyAppend = Array.from({ length: appends }, (_, index) => index + 1);
const around = ['die-before', 'die-after'] as const;

test('a run makes one write per change, and journals around each', () => {
  expect(writes).toBe(4);
  expect(appends).toBeGreaterThan(writes);
});

describe.each([undefined, 1, 2, 3, 4])('the recovery itself is killed after write %s', (killRecoveryAt) => {
  test.each(everyWrite.flatMap((at) => around.map((effect) => [effect, at] as const)))(
    'killed (%s) at write %i: everything is as before',
    async (effect, at) => {
      const rig = makeRig();
      const before = stateOf(rig);
      rig.host.faults = [{ at, effect }];
      expect(await tuneRig(rig)).toBeUndefined();
      expect((await recoverRig(rig, killRecoveryAt)).complete).toBe(true);
      expect(stateOf(rig)).toEqual(before);
    },
  );

  test.each(everyAppend.flatMap((at) => [...around, 'torn' as const].map((effect) => [effect, at] as const)))(
    'killed (%s) at journal append %i: everything is as before, or as wanted',
    async (effect, at) => {
      const rig = makeRig();
      const before = stateOf(rig);
      rig.state.fault = { at, effect };
      expect(await tuneRig(rig)).toBeUndefined();
      const wanted = stateOf(rig);
      expect((await recoverRig(rig, killRecoveryAt)).complete).toBe(true);
      // Once `end: applied` is on disk the run is whole; every earlier death is undone.
      const isWhole = at === appends && effect === 'die-after';
      expect(stateOf(rig)).toEqual(isWhole ? wanted : before);
    },
  );

  test.each(everyWrite)(
    'write %i is clamped, and the process dies before it can say what the kernel made of it',
    async (at) => {
      const rig = makeRig();
      const before = stateOf(rig);
      const probe = makeRig();
      probe.host.faults = [{ at, effect: 'die-after' }];
      await tuneRig(probe);
      rig.host.faults = [{ at, effect: { clamp: '1' } }];
      rig.state.fault = { at: probe.state.appends + 1, effect: 'die-before' };
      expect(await tuneRig(rig)).toBeUndefined();
      expect((await recoverRig(rig, killRecoveryAt)).complete).toBe(true);
      expect(stateOf(rig)).toEqual(before);
    },
  );
});

test('what a recovery did can be told: the run, each setting, and how it ended', async () => {
  const rig = makeRig();
  rig.host.faults = [{ at: 2, effect: 'die-after' }];
  await tuneRig(rig);
  const { reports } = await recoverRig(rig);
  expect(reports.map((report) => report.run)).toEqual(['run-1']);
  const outcomes = Object.fromEntries(reports.flatMap((report) => report.steps.map((step) => [step.id, step.outcome])));
  expect(outcomes).toEqual({ 'memory.swappiness': 'undone', 'memory.thp': 'undone', 'irq.default': 'already' });
});
