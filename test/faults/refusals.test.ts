import { describe, expect, test } from 'vitest';
import { readRuns } from '../../src/engine/journal.ts';
import { rollback } from '../../src/engine/rollback.ts';
import { readStatus } from '../../src/engine/status.ts';
import { StalePlan } from '../../src/engine/tune.ts';
import { makeRig, type Rig, restart, stateOf, tuneRig } from './rig.ts';

const everyWrite = [1, 2, 3, 4];
const SWAPPINESS = '/proc/sys/vm/swappiness';

const undoLast = ({ engine }: Rig) => rollback(engine, { scope: 'last' });

describe('a change that must not fail', () => {
  test.each(
    everyWrite.flatMap((at) => ['EIO', 'EBUSY', 'EPERM', 'ENOSPC', 'EINVAL'].map((errno) => [errno, at] as const)),
  )('%s at write %i: everything is undone and the error is named', async (errno, at) => {
    const rig = makeRig();
    const before = stateOf(rig);
    rig.host.faults = [{ at, effect: { errno } }];
    const outcome = await tuneRig(rig);
    expect(outcome?.result).toBe('undone');
    expect(outcome?.report.failure?.reason).toContain(errno);
    expect(stateOf(rig)).toEqual(before);
  });

  test.each(everyWrite)('write %i is ignored by the kernel: undone, with what the kernel reports', async (at) => {
    const rig = makeRig();
    const before = stateOf(rig);
    rig.host.faults = [{ at, effect: 'ignore' }];
    const outcome = await tuneRig(rig);
    expect(outcome?.report.failure?.reason).toMatch(/^wrote .*, the kernel reports /);
    expect(stateOf(rig)).toEqual(before);
  });

  test.each(everyWrite)('write %i is clamped by the kernel: undone', async (at) => {
    const rig = makeRig();
    const before = stateOf(rig);
    rig.host.faults = [{ at, effect: { clamp: '1' } }];
    const outcome = await tuneRig(rig);
    expect(outcome?.result).toBe('undone');
    expect(stateOf(rig)).toEqual(before);
  });

  test('the old value cannot be put back: partly undone, and said', async () => {
    const rig = makeRig();
    rig.host.faults = [
      { at: 4, effect: { errno: 'EIO' } },
      { at: 10, effect: { errno: 'EIO' } },
      { at: 11, effect: { errno: 'EIO' } },
    ];
    const outcome = await tuneRig(rig);
    expect(outcome?.result).toBe('partly-undone');
    expect(outcome?.undo?.steps.filter((step) => step.outcome === 'failed').map((step) => step.id)).toEqual([
      'memory.swappiness',
    ]);
    restart(rig);
    const frame = { host: 'fake', bootId: 'boot-1' };
    const status = async () => readStatus(rig.host, await readRuns(rig.state), frame);
    expect((await status()).notUndone).toMatchObject([
      { run: 'run-1', id: 'memory.swappiness', before: '60', found: '0' },
    ]);
    expect((await undoLast(rig)).complete).toBe(true);
    expect(stateOf(rig)[SWAPPINESS]).toBe('60\n');
    expect((await status()).notUndone).toEqual([]);
  });

  test('the old value can be put back only when the other undos are made: undone at the second try', async () => {
    const rig = makeRig();
    const before = stateOf(rig);
    rig.host.faults = [
      { at: 4, effect: { errno: 'EIO' } },
      { at: 10, effect: { errno: 'EIO' } },
    ];
    expect((await tuneRig(rig))?.result).toBe('undone');
    expect(stateOf(rig)).toEqual(before);
  });
});

describe('a change that the profile can do without', () => {
  test.each([
    ['refused', { errno: 'EPERM' }],
    ['ignored', 'ignore'],
    ['clamped', { clamp: '1' }],
  ] as const)('%s: left as it was, the rest is made', async (_, effect) => {
    const rig = makeRig([{ ifRefused: 'skip' }]);
    const before = stateOf(rig);
    rig.host.faults = [{ at: 1, effect }];
    const outcome = await tuneRig(rig);
    expect(outcome?.result).toBe('applied');
    expect(outcome?.report.skipped.map((step) => step.id)).toEqual(['memory.swappiness']);
    expect(outcome?.report.applied).toHaveLength(3);
    expect(stateOf(rig)[SWAPPINESS]).toBe(before[SWAPPINESS]);
    expect((await undoLast(rig)).complete).toBe(true);
    expect(stateOf(rig)).toEqual(before);
  });
});

describe('the disk of the journal is full', () => {
  test.each([2, 3, 4, 5, 6, 7])(
    'from append %i on: everything is as before, and the reason is given',
    async (fullFrom) => {
      const rig = makeRig();
      const before = stateOf(rig);
      rig.state.fullFrom = fullFrom;
      const outcome = await tuneRig(rig);
      expect(outcome?.result).toBe('undone');
      expect(outcome?.report.failure?.reason).toContain('ENOSPC');
      expect(stateOf(rig)).toEqual(before);
    },
  );

  test('from the first append on: refused before anything is written', async () => {
    const rig = makeRig();
    rig.state.fullFrom = 1;
    await expect(tuneRig(rig)).rejects.toThrow(/ENOSPC/);
    expect(rig.host.log).toEqual([]);
  });

  test('an undo goes on all the same', async () => {
    const rig = makeRig();
    const before = stateOf(rig);
    await tuneRig(rig);
    rig.state.fullFrom = 0;
    expect((await undoLast(rig)).complete).toBe(true);
    expect(stateOf(rig)).toEqual(before);
  });
});

describe('somebody else', () => {
  test.each([
    [SWAPPINESS, '10\n'],
    ['/proc/irq/default_smp_affinity', '0f0\n'],
    ['/etc/security/limits.d/90-hft.conf', '# mine\n'],
  ])('changed %s after the run: it is kept and reported', async (path, text) => {
    const rig = makeRig();
    const before = stateOf(rig);
    await tuneRig(rig);
    rig.host.files.set(path, text);
    const { reports, complete } = await undoLast(rig);
    expect(complete).toBe(true);
    expect(reports[0]?.steps.filter((step) => step.outcome === 'kept')).toHaveLength(1);
    expect(stateOf(rig)).toEqual({ ...before, [path]: text });
  });

  test('changed a value between plan and apply: the plan is stale and nothing is written', async () => {
    const rig = makeRig();
    const meddle = () => rig.host.files.set(SWAPPINESS, '30\n');
    await expect(tuneRig(rig, { meddle })).rejects.toThrow(StalePlan);
    expect(rig.host.log).toEqual([]);
  });

  test('holds the lock: refused, nothing is written', async () => {
    const rig = makeRig();
    await rig.state.lock('a test');
    await expect(tuneRig(rig)).rejects.toThrow();
    expect(rig.host.log).toEqual([]);
  });
});

describe('after a reboot', () => {
  test('what ended with the power is left alone, what lives on is undone', async () => {
    const rig = makeRig();
    await tuneRig(rig);
    rig.host.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
    const { reports } = await undoLast(rig);
    const outcomes = Object.fromEntries(reports[0]?.steps.map((step) => [step.id, step.outcome]) ?? []);
    expect(outcomes).toEqual({
      'irq.default': 'gone',
      'limits.file': 'undone',
      'memory.thp': 'gone',
      'memory.swappiness': 'gone',
    });
    expect(rig.host.files.has('/etc/security/limits.d/90-hft.conf')).toBe(false);
    expect(stateOf(rig)[SWAPPINESS]).toBe('0\n');
  });
});

describe('one setting alone', () => {
  test('is undone by its id, and the rest stays in force', async () => {
    const rig = makeRig();
    await tuneRig(rig);
    await rollback(rig.engine, { scope: { items: ['memory.swappiness'] } });
    expect(stateOf(rig)[SWAPPINESS]).toBe('60\n');
    expect(stateOf(rig)['/proc/irq/default_smp_affinity']).toBe('f\n');
  });

  test('that hft never changed is an error, and nothing is undone', async () => {
    const rig = makeRig();
    await tuneRig(rig);
    const tuned = stateOf(rig);
    await expect(rollback(rig.engine, { scope: { items: ['memory.ksm'] } })).rejects.toThrow(
      /memory.ksm was not changed/,
    );
    expect(stateOf(rig)).toEqual(tuned);
  });
});
