import { expect, test } from 'vitest';
import { findInForce } from '../../src/engine/in-force.ts';
import { readRuns } from '../../src/engine/journal.ts';
import { rollback } from '../../src/engine/rollback.ts';
import { Killed } from '../fake-host.ts';
import { makeRig, type Rig, recoverRig, restart, stateOf, tuneRig } from './rig.ts';

const FILE = '/etc/security/limits.d/90-hft.conf';

/** Values of the kernel end with the power, files stay; the journal keeps what was synced. */
function cutPower(rig: Rig): void {
  const fresh = makeRig();
  for (const path of [...rig.host.files.keys()]) if (/^\/(proc|sys)\//.test(path)) rig.host.files.delete(path);
  for (const [path, text] of fresh.host.files) rig.host.files.set(path, text);
  rig.host.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
  rig.state.losePower();
  restart(rig);
}

async function untilKilled(work: () => Promise<unknown>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!(error instanceof Killed)) throw error;
  });
}

const undoAll = (rig: Rig) => rollback(rig.engine, { scope: 'all' });

/** The moments of a piece of work: before and after each write and each record, and when all is done. */
async function listMoments(prepare: (rig: Rig) => Promise<unknown>, work: (rig: Rig) => Promise<unknown>) {
  const rig = makeRig();
  await prepare(rig);
  restart(rig);
  const records = rig.state.appends;
  await work(rig);
  const [writes, appends] = [rig.host.writeCount, rig.state.appends];
  const count = (of: number) => Array.from({ length: of }, (_, index) => index + 1);
  const around = ['die-before', 'die-after'] as const;
  return [
    ...count(writes).flatMap((at) => around.map((effect) => ({ of: 'write', at, effect }) as const)),
    ...count(appends - records).flatMap((at) =>
      around.map((effect) => ({ of: 'record', at: records + at, effect }) as const),
    ),
    { of: 'nothing', at: 0, effect: 'die-before' } as const,
  ];
}

type Moment = Awaited<ReturnType<typeof listMoments>>[number];

function plant(rig: Rig, { of, at, effect }: Moment): void {
  if (of === 'write') rig.host.faults = [{ at, effect }];
  if (of === 'record') rig.state.fault = { at, effect };
}

async function isInForce(rig: Rig): Promise<boolean> {
  return findInForce(await readRuns(rig.state)) !== undefined;
}

test.each(await listMoments(async () => {}, tuneRig))(
  'the power goes while tuning (%o): the next boot has all that is in force, or nothing of it',
  async (moment) => {
    const rig = makeRig();
    plant(rig, moment);
    await tuneRig(rig);
    cutPower(rig);
    expect((await recoverRig(rig)).complete).toBe(true);
    expect(rig.host.files.has(FILE)).toBe(await isInForce(rig));
    expect((await undoAll(rig)).complete).toBe(true);
    expect(rig.host.files.has(FILE)).toBe(false);
  },
);

test.each(await listMoments(tuneRig, undoAll))(
  'the power goes while rolling back (%o): rolling back again finds nothing left to put back',
  async (moment) => {
    const rig = makeRig();
    await tuneRig(rig);
    restart(rig);
    plant(rig, moment);
    await untilKilled(() => undoAll(rig));
    cutPower(rig);
    const before = { ...stateOf(makeRig()), '/proc/sys/kernel/random/boot_id': 'boot-2\n' };
    if (moment.of === 'nothing') expect(await isInForce(rig)).toBe(false);
    expect((await undoAll(rig)).complete).toBe(true);
    expect(stateOf(rig)).toEqual(before);
    expect(await isInForce(rig)).toBe(false);
  },
);
