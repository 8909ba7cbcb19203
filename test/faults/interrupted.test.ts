import { describe, expect, test } from 'vitest';
import { makeRig, type Rig, stateOf, tuneRig } from './rig.ts';

/** Ctrl-C comes as an event, like every signal: during the n-th write, and heard when the process next listens. */
function tuneInterrupted(rig: Rig, at: number) {
  const controller = new AbortController();
  const { host } = rig;
  const push = host.log.push.bind(host.log);
  host.log.push = (...lines: string[]) => {
    if (host.writeCount === at) setImmediate(() => controller.abort());
    return push(...lines);
  };
  return tuneRig(rig, { signal: controller.signal });
}

describe('Ctrl-C', async () => {
  const whole = makeRig();
  await tuneRig(whole);
  const writes = whole.host.writeCount;

  test.each(Array.from({ length: writes - 1 }, (_, index) => index + 1))(
    'at write %i: no further change, undone, and said',
    async (at) => {
      const rig = makeRig();
      const before = stateOf(rig);
      const outcome = await tuneInterrupted(rig, at);
      expect(outcome?.result).toBe('undone');
      expect(outcome?.report.failure?.reason).toBe('interrupted');
      expect(stateOf(rig)).toEqual(before);
    },
  );

  test('at the last write: it is through, and everything is as wanted', async () => {
    const rig = makeRig();
    const outcome = await tuneInterrupted(rig, writes);
    expect(outcome?.result).toBe('applied');
    expect(stateOf(rig)).toEqual(stateOf(whole));
  });
});
