import { beforeEach, describe, expect, test } from 'vitest';
import { type AdoptionRequest, adoptProcess } from '../../src/agent/adopting.ts';
import { adoptedNow } from '../../src/engine/adopt.ts';
import { readRuns } from '../../src/engine/journal.ts';
import { recover, rollback } from '../../src/engine/rollback.ts';
import { readStatus } from '../../src/engine/status.ts';
import { Killed } from '../fake-host.ts';
import { MemoryState } from './memory-state.ts';
import { makeRig, planRig, type Rig, tuneRig } from './rig.ts';
import { addThreads, endThread, type FakeThread, scheduleOf } from './threads.ts';

const PID = 70;

interface AdoptRig extends Rig {
  readonly threads: readonly FakeThread[];
  readonly before: readonly string[];
}

/** A process of three threads: its first, one of realtime, one of another nice value. */
function makeAdoptRig(): AdoptRig {
  const rig = makeRig();
  const base = {
    pid: PID,
    startTicks: 500,
    allowed: '0-1',
    policy: 'other',
    priority: 0,
    nice: 0,
    resets: false,
  } as const;
  const threads: FakeThread[] = [
    { ...base, tid: PID, name: 'main' },
    { ...base, tid: 71, name: 'rx', policy: 'fifo', priority: 10, startTicks: 501 },
    { ...base, tid: 72, name: 'log', nice: -5, startTicks: 502 },
  ];
  addThreads(rig.host, threads, ['0', '1', '0-1']);
  rig.host.files.set('/proc/uptime', '100.0 200.0\n');
  return { ...rig, threads, before: threads.map(scheduleOf) };
}

const REQUEST: AdoptionRequest = {
  pid: PID,
  name: 'feed',
  isolated: [],
  wishes: [
    { name: 'rx', cpus: [[1]], scheduling: { policy: 'fifo', priority: 48 } },
    { name: 'log', cpus: [[0]], scheduling: { policy: 'batch', nice: 3 } },
    { name: '*', cpus: [[0]], scheduling: undefined },
  ],
};

const PLACED = ['0 other 0 0 false', '1 fifo 48 0 true', '0 batch 0 3 false'];

/** undefined when the process was killed on the way. */
async function adoptIn(rig: AdoptRig, change: Partial<AdoptionRequest> = {}) {
  try {
    return await adoptProcess({ engine: rig.engine, run: new MemoryState() }, { ...REQUEST, ...change });
  } catch (error) {
    if (error instanceof Killed) return undefined;
    throw error;
  }
}

function now({ threads }: AdoptRig): string[] {
  return threads.map(scheduleOf);
}

function revive(rig: AdoptRig): void {
  rig.host.revive();
  rig.state.revive();
}

let rig: AdoptRig;
beforeEach(() => {
  rig = makeAdoptRig();
});

test('each thread gets its CPUs, and its policy where one was asked for; rollback gives back all of it', async () => {
  const adoption = await adoptIn(rig);
  expect(now(rig)).toEqual(PLACED);
  expect(adoption?.threads.map(({ name, rule }) => [name, rule])).toEqual([
    ['rx', 'rx'],
    ['log', 'log'],
    ['main', '*'],
  ]);
  expect(await adoptedNow(rig)).toMatchObject([{ name: 'feed', pid: PID, startTicks: '500' }]);
  expect(await rollback(rig.engine, { scope: 'last' })).toMatchObject({ complete: true });
  expect(now(rig)).toEqual(rig.before);
  expect(await adoptedNow(rig)).toEqual([]);
});

async function countOperations() {
  const counted = makeAdoptRig();
  await adoptIn(counted);
  return { writes: counted.host.writeCount, appends: counted.state.appends };
}
const { writes, appends } = await countOperations();
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('killed at any instant, everything can be put back', () => {
  test.each(
    upTo(writes).flatMap((at) => (['die-before', 'die-after'] as const).map((effect) => [effect, at] as const)),
  )('%s write %i', async (effect, at) => {
    rig.host.faults = [{ at, effect }];
    expect(await adoptIn(rig)).toBeUndefined();
    revive(rig);
    expect(await recover(rig.engine)).toMatchObject({ complete: true });
    expect(now(rig)).toEqual(rig.before);
    expect(await adoptedNow(rig)).toEqual([]);
  });

  test.each(
    upTo(appends).flatMap((at) =>
      (['die-before', 'die-after', 'torn'] as const).map((effect) => [effect, at] as const),
    ),
  )('%s append %i to the journal', async (effect, at) => {
    rig.state.fault = { at, effect };
    expect(await adoptIn(rig)).toBeUndefined();
    revive(rig);
    const isWhole = at === appends && effect === 'die-after';
    expect(await recover(rig.engine)).toMatchObject({ complete: true });
    expect(now(rig)).toEqual(isWhole ? PLACED : rig.before);
  });
});

test.each(upTo(writes))('write %i refused: nothing is adopted, all is as before', async (at) => {
  rig.host.faults = [{ at, effect: { errno: 'EPERM' } }];
  await expect(adoptIn(rig)).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('was not adopted'),
  });
  expect(now(rig)).toEqual(rig.before);
  expect(await adoptedNow(rig)).toEqual([]);
});

test.each(upTo(writes))('write %i does nothing, and says that it did: nothing is adopted', async (at) => {
  rig.host.faults = [{ at, effect: 'ignore' }];
  const adopted = await adoptIn(rig).then(
    () => true,
    () => false,
  );
  // chrt sets the nice value of an ordinary thread to what it was: only where renice has nothing to do nothing is missed.
  expect(now(rig)).toEqual(adopted ? PLACED : rig.before);
});

describe('threads that have ended', () => {
  test('while they were placed: they need no place', async () => {
    const [, , log] = rig.threads as [FakeThread, FakeThread, FakeThread];
    rig.host.commands.set('taskset -p -c 0 72', (host) => {
      endThread(host, log);
      return '';
    });
    expect(await adoptIn(rig)).toMatchObject({
      skipped: [{ id: 'adopt.cpus@feed/log' }, { id: 'adopt.policy@feed/log' }],
    });
    expect(now(rig).slice(0, 2)).toEqual(PLACED.slice(0, 2));
  });

  test('before the rollback: said, and no error; a number that went to another thread is not touched', async () => {
    const [, rx, log] = rig.threads as [FakeThread, FakeThread, FakeThread];
    await adoptIn(rig);
    endThread(rig.host, log);
    rx.startTicks = 900;
    addThreads(rig.host, [rx], []);
    const { complete, reports } = await rollback(rig.engine, { scope: 'last' });
    expect(complete).toBe(true);
    const gone = reports[0]?.steps.filter(({ outcome }) => outcome === 'gone').map(({ id, reason }) => [id, reason]);
    expect(gone).toEqual([
      ['adopt.policy@feed/log', '/proc/72/stat: the thread has ended'],
      ['adopt.cpus@feed/log', '/proc/72/status: the thread has ended'],
      ['adopt.policy@feed/rx', '/proc/71/stat: the thread has ended'],
      ['adopt.cpus@feed/rx', '/proc/71/status: the thread has ended'],
    ]);
    expect(scheduleOf(rx)).toBe(PLACED[1]);
  });
});

test('a thread that somebody placed since is left as it is, and said', async () => {
  await adoptIn(rig);
  await rig.host.execute(['taskset', '-p', '-c', '0-1', '71']);
  const status = await readStatus(rig.host, await readRuns(rig.state), { host: 'fake', bootId: 'boot-1' });
  expect(status.drift).toMatchObject([{ id: 'adopt.cpus@feed/rx', left: '1', found: '0-1' }]);
  const { reports } = await rollback(rig.engine, { scope: 'last' });
  expect(reports[0]?.steps.find(({ id }) => id === 'adopt.cpus@feed/rx')).toMatchObject({ outcome: 'already' });
});

test('a profile leaves adopted processes alone, and rollback takes back the newest of both', async () => {
  await tuneRig(rig);
  await adoptIn(rig);
  expect((await planRig(rig)).plan.changes).toEqual([]);
  expect(await rollback(rig.engine, { scope: 'last' })).toEqual(
    expect.not.objectContaining({ again: expect.anything() }),
  );
  expect(now(rig)).toEqual(rig.before);
  const status = await readStatus(rig.host, await readRuns(rig.state), { host: 'fake', bootId: 'boot-1' });
  expect(status.profile).toBe('test');
});

test('what was adopted before the last boot is none of this one, and stands in nobody’s way', async () => {
  await tuneRig(rig);
  await adoptIn(rig);
  rig.host.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
  expect(await adoptedNow(rig)).toEqual([]);
  const { reports } = await rollback(rig.engine, { scope: 'last' });
  expect(reports.map(({ run }) => run)).toEqual(['run-1']);
});

describe('refused before anything is changed', () => {
  test.each<[string, Partial<AdoptionRequest>, string]>([
    ['a process that is not there', { pid: 4000 }, 'There is no process 4000.'],
    ['a thread', { pid: 71 }, '71 is a thread of process 70'],
    ['hft itself', { pid: process.pid }, 'is hft itself'],
    [
      'a thread that is not there',
      { wishes: [{ name: 'tx', cpus: [[1]], scheduling: undefined }] },
      'no thread of the process has this name',
    ],
    [
      'fewer threads than sets',
      { wishes: [{ name: 'rx', cpus: [[0], [1]], scheduling: undefined }] },
      'it has 1 threads of this name, not 2',
    ],
  ])('%s', async (_, change, message) => {
    if (change.pid === process.pid)
      addThreads(rig.host, [{ ...(rig.threads[0] as FakeThread), pid: process.pid, tid: process.pid }], []);
    await expect(adoptIn(rig, change)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
    expect([now(rig), rig.state.appends]).toEqual([rig.before, 0]);
  });

  test('a thread of the kernel', async () => {
    const stat = rig.host.files.get(`/proc/${PID}/stat`)?.split(' ') as string[];
    stat[8] = String(0x00200000);
    for (const path of [`/proc/${PID}/stat`, `/proc/${PID}/task/${PID}/stat`]) rig.host.files.set(path, stat.join(' '));
    await expect(adoptIn(rig)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('of the kernel'),
    });
    expect(rig.state.appends).toBe(0);
  });

  test('a name or a process that was adopted already', async () => {
    await adoptIn(rig);
    const { appends: known } = rig.state;
    await expect(adoptIn(rig)).rejects.toMatchObject({ message: `Process ${PID} is adopted already, as feed.` });
    addThreads(rig.host, [{ ...(rig.threads[0] as FakeThread), pid: 90, tid: 90 }], ['0']);
    await expect(adoptIn(rig, { pid: 90 })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('has this name'),
    });
    expect(rig.state.appends).toBe(known);
  });
});
