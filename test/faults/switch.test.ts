import { beforeEach, describe, expect, test } from 'vitest';
import { rollback } from '../../src/engine/rollback.ts';
import type { Wanted } from '../../src/engine/scope.ts';
import { verifyPlan } from '../../src/engine/verify.ts';
import { viewRollback } from '../../src/views/rollback.ts';
import type { Terminal } from '../../src/views/terminal.ts';
import { makeRig, planRig, type Rig, recoverRig, stateOf, tuneRig, WANTED, wantedOf } from './rig.ts';

/** The profile before is all that the rig has. This one asks for another swappiness and for nothing else. */
const OTHER = wantedOf('other', { memory: { 'memory.swappiness': '10' } });
const NOTHING = wantedOf('nothing', {});

const SWAPPINESS = '/proc/sys/vm/swappiness';
const THP = '/sys/kernel/mm/transparent_hugepage/enabled';
const LIMITS = '/etc/security/limits.d/90-hft.conf';

const summarize = async (rig: Rig, wanted: Wanted) =>
  (await planRig(rig, { wanted })).plan.changes.map(({ setting, current, desired }) => [setting.id, current, desired]);

describe('another profile than the one in force', () => {
  let rig: Rig;
  let untouched: Record<string, string>;

  beforeEach(async () => {
    rig = makeRig();
    untouched = stateOf(rig);
    await tuneRig(rig);
  });

  test('the plan shows what goes back, newest first, before what the profile wants, and why', async () => {
    const { plan } = await planRig(rig, { wanted: OTHER });
    expect(plan.changes.map(({ setting, current, desired }) => [setting.id, current, desired])).toEqual([
      ['irq.default', '0-3', '0-7'],
      ['limits.file', '@hft - memlock unlimited\n', null],
      ['memory.thp', 'never', 'always'],
      ['memory.swappiness', '0', '10'],
    ]);
    expect(plan.changes[0]?.setting).toMatchObject({
      why: 'Set by profile test in run run-1, and no part of other: back to what it was.',
      leftBy: { profile: 'test', run: 'run-1' },
    });
    expect(plan.changes.at(-1)?.setting.leftBy).toBeUndefined();
  });

  test('applied, the host is what the other profile makes of an untouched one', async () => {
    const outcome = await tuneRig(rig, { wanted: OTHER });
    expect(outcome?.result).toBe('applied');
    expect(outcome?.after).toMatchObject({ changes: [], kept: [] });
    const alone = makeRig();
    await tuneRig(alone, { wanted: OTHER });
    expect(stateOf(rig)).toEqual(stateOf(alone));
  });

  test('verify fails what is left of the profile before, and says so', async () => {
    const { results } = verifyPlan((await planRig(rig, { wanted: OTHER })).plan);
    expect(results.find(({ id }) => id === 'limits.file')).toMatchObject({
      status: 'fail',
      evidence: expect.stringContaining('Set by profile test in run run-1'),
    });
  });

  test.each([
    ['the newest profile', 'last', ['run-2']],
    ['everything after the first', { to: 'run-1' }, ['run-2']],
  ] as const)('rolled back: %s', async (_, scope, runs) => {
    const tuned = stateOf(rig);
    await tuneRig(rig, { wanted: OTHER });
    const { reports, complete } = await rollback(rig.engine, { scope });
    expect([complete, reports.map(({ run }) => run)]).toEqual([true, runs]);
    expect(stateOf(rig)).toEqual(tuned);
    expect(await summarize(rig, WANTED)).toEqual([]);
  });

  test.each([
    ['in the same boot', 'boot-1', 'Profile test is in force again.'],
    ['after a reboot', 'boot-2', 'comes back at the next one, or now by `hft tune --profile test`'],
  ])('rolled back %s: who is in force again is said, and whether all of it is set', async (_, boot, said) => {
    await tuneRig(rig, { wanted: OTHER });
    rig.host.files.set('/proc/sys/kernel/random/boot_id', `${boot}\n`);
    const outcome = await rollback(rig.engine, { scope: 'last' });
    expect(outcome.again).toEqual({ profile: 'test', isOfEarlierBoot: boot !== 'boot-1' });
    const terminal: Terminal = { columns: 80, color: false };
    expect(viewRollback(outcome, terminal)).toContain(said);
    expect((await rollback(rig.engine, { scope: 'all' })).again).toBeUndefined();
  });

  test('rolled back altogether: the originals', async () => {
    await tuneRig(rig, { wanted: OTHER });
    await tuneRig(rig, { wanted: NOTHING });
    await tuneRig(rig);
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect(stateOf(rig)).toEqual(untouched);
  });

  test.each(['memory.swappiness', 'memory.thp', 'limits.file'])('%s alone rolled back: its original', async (id) => {
    await tuneRig(rig, { wanted: OTHER });
    await rollback(rig.engine, { scope: { items: [id] } });
    const after = stateOf(rig);
    for (const path of [SWAPPINESS, THP, LIMITS].filter((each) => after[each] !== untouched[each]))
      expect(path).not.toBe({ 'memory.swappiness': SWAPPINESS, 'memory.thp': THP, 'limits.file': LIMITS }[id]);
    expect(await summarize(rig, OTHER)).toEqual(id === 'memory.swappiness' ? [[id, '60', '10']] : []);
  });

  test('a profile that lost a setting: the same, under its own name', async () => {
    const less = wantedOf('test', { memory: { 'memory.thp': 'never' }, limits: {}, irq: {} });
    const { plan } = await planRig(rig, { wanted: less });
    expect(plan.changes.map(({ setting }) => [setting.id, setting.why])).toEqual([
      ['memory.swappiness', 'Set by profile test in run run-1, and no part of it any more: back to what it was.'],
    ]);
  });

  test('the same profile again wants nothing, although a wish of it may be missing on this machine now', async () => {
    const [memory, ...others] = rig.engine.domains;
    const lost = { ...memory, desire: () => ({ settings: [], refused: [] }) } as (typeof rig.engine.domains)[number];
    const engine = { ...rig.engine, domains: [lost, ...others] };
    expect(await summarize({ ...rig, engine }, WANTED)).toEqual([]);
  });

  test.each([
    [{ only: ['memory'] }, ['memory.thp', 'memory.swappiness']],
    [{ skip: ['memory', 'limits'] }, ['irq.default']],
    [{ only: ['limits'] }, ['limits.file']],
  ])('with %j only what was chosen goes back', async (scope, ids) => {
    const { plan } = await planRig(rig, { wanted: OTHER, scope });
    expect(plan.changes.map(({ setting }) => setting.id)).toEqual(ids);
    const outcome = await tuneRig(rig, { wanted: OTHER, scope });
    expect(outcome?.report.applied.map(({ id }) => id)).toEqual(ids);
    await rollback(rig.engine, { scope: 'all' });
    expect(stateOf(rig)).toEqual(untouched);
  });

  test('the other profile refuses what it cannot look into: it is not put back either', async () => {
    const [memory, ...others] = rig.engine.domains;
    const reason = 'It cannot be read.';
    const blind = {
      ...memory,
      desire: () => ({ settings: [], refused: [{ id: 'memory.thp', kind: 'unknown', reason }] }),
    } as (typeof rig.engine.domains)[number];
    const engine = { ...rig.engine, domains: [blind, ...others] };
    const ids = (await summarize({ ...rig, engine }, OTHER)).map(([id]) => id);
    expect(ids).toContain('memory.swappiness');
    expect(ids).not.toContain('memory.thp');
  });
});

describe('somebody changed a setting after the first profile', () => {
  const meddled = '30\n';

  async function tunedAndMeddled(): Promise<Rig> {
    const rig = makeRig();
    await tuneRig(rig);
    rig.host.files.set(SWAPPINESS, meddled);
    return rig;
  }

  test('it stays, the plan says so, and it is nobody’s any more from then on', async () => {
    const rig = await tunedAndMeddled();
    const { plan } = await planRig(rig, { wanted: NOTHING });
    expect(plan.kept).toMatchObject([
      {
        id: 'memory.swappiness',
        found: '30',
        reason: expect.stringMatching(/set it to 0 in run run-1; somebody changed it to 30/),
      },
    ]);
    expect(plan.changes.map(({ setting }) => setting.id)).not.toContain('memory.swappiness');
    const outcome = await tuneRig(rig, { wanted: NOTHING });
    expect(stateOf(rig)[SWAPPINESS]).toBe(meddled);
    expect(outcome?.after).toMatchObject({ changes: [], kept: [] });
  });

  test('the run that left it is taken back: it is the first profile’s again', async () => {
    const rig = await tunedAndMeddled();
    await tuneRig(rig, { wanted: NOTHING });
    await rollback(rig.engine, { scope: 'last' });
    expect((await planRig(rig, { wanted: NOTHING })).plan.kept).toHaveLength(1);
  });

  test('what they set is what it goes back to, once a later run has set it again', async () => {
    const rig = await tunedAndMeddled();
    await tuneRig(rig);
    expect(stateOf(rig)[SWAPPINESS]).toBe('0\n');
    await tuneRig(rig, { wanted: NOTHING });
    expect(stateOf(rig)[SWAPPINESS]).toBe(meddled);
    const { reports } = await rollback(rig.engine, { scope: 'all' });
    expect(stateOf(rig)[SWAPPINESS]).toBe(meddled);
    const kept = reports.flatMap(({ steps }) => steps.filter(({ outcome }) => outcome === 'kept'));
    expect(kept.map(({ id }) => id)).toEqual(['memory.swappiness']);
  });
});

describe('the switch is cut off', async () => {
  const whole = makeRig();
  await tuneRig(whole);
  const [writesBefore, appendsBefore] = [whole.host.writeCount, whole.state.appends];
  await tuneRig(whole, { wanted: OTHER });
  const [writes, appends] = [whole.host.writeCount - writesBefore, whole.state.appends - appendsBefore];
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const around = ['die-before', 'die-after'] as const;

  async function tunedRig() {
    const rig = makeRig();
    const untouched = stateOf(rig);
    await tuneRig(rig);
    return { rig, untouched, first: stateOf(rig) };
  }

  async function expectBack({ rig, untouched, first }: Awaited<ReturnType<typeof tunedRig>>) {
    expect(stateOf(rig)).toEqual(first);
    expect((await rollback(rig.engine, { scope: 'all' })).complete).toBe(true);
    expect(stateOf(rig)).toEqual(untouched);
  }

  test.each(upTo(writes).flatMap((at) => around.map((effect) => [effect, at] as const)))(
    '%s write %i: the first profile is in force, and can be taken back',
    async (effect, at) => {
      const tuned = await tunedRig();
      tuned.rig.host.faults = [{ at: writesBefore + at, effect }];
      expect(await tuneRig(tuned.rig, { wanted: OTHER })).toBeUndefined();
      expect((await recoverRig(tuned.rig)).complete).toBe(true);
      await expectBack(tuned);
    },
  );

  test.each(upTo(appends - 1).flatMap((at) => [...around, 'torn' as const].map((effect) => [effect, at] as const)))(
    '%s append %i: the first profile is in force, and can be taken back',
    async (effect, at) => {
      const tuned = await tunedRig();
      tuned.rig.state.fault = { at: appendsBefore + at, effect };
      expect(await tuneRig(tuned.rig, { wanted: OTHER })).toBeUndefined();
      expect((await recoverRig(tuned.rig)).complete).toBe(true);
      await expectBack(tuned);
    },
  );

  test('the kernel refuses to take an old value back: it is left, said once, and the rest is made', async () => {
    const { rig } = await tunedRig();
    rig.host.faults = [{ at: THP, effect: { errno: 'EOPNOTSUPP' } }];
    const outcome = await tuneRig(rig, { wanted: OTHER });
    expect(outcome?.result).toBe('applied');
    expect(outcome?.report.skipped.map(({ id }) => id)).toEqual(['memory.thp']);
    expect(outcome?.after.changes).toEqual([]);
    expect(outcome?.after.refused).toMatchObject([
      { id: 'memory.thp', kind: 'unsupported', reason: expect.stringMatching(/^Refused in run run-2: .*EOPNOTSUPP/) },
    ]);
  });
});

test('folders that the first write of a file made go with it, though a later run wrote the file last', async () => {
  const rig = makeRig();
  const untouched = stateOf(rig);
  const limits = (text: string) => wantedOf('test', { limits: { 'limits.file': text } });
  await tuneRig(rig, { wanted: limits('first\n') });
  rig.host.folders.add('/etc/security/limits.d');
  await tuneRig(rig, { wanted: limits('second\n') });
  await tuneRig(rig, { wanted: NOTHING });
  expect(rig.host.folders).toEqual(new Set());
  await rollback(rig.engine, { scope: 'all' });
  expect(stateOf(rig)).toEqual(untouched);
});
