import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { findByToken, readStart } from '../../../src/agent/find-process.ts';
import { LocalHost } from '../../../src/host/local.ts';
import { judgeProcess } from '../../../src/launch/judge-process.ts';
import { looksOf } from '../../../src/launch/judged.ts';
import { type Look, type LookRequest, type TaskLook, takeLook } from '../../../src/launch/look.ts';
import { newLookMemory } from '../../../src/launch/look-memory.ts';
import type { PlacedProcess } from '../../../src/launch/placement.ts';
import { judgeStrangers } from '../../../src/launch/strangers.ts';
import { parseTaskStat, parseTaskStatus } from '../../../src/launch/task-text.ts';
import { LAST, until } from './reference.ts';
import { rule, statText } from './task-texts.ts';

function task(name: string, change: Partial<TaskLook> = {}, status: object = {}): TaskLook {
  const stat = parseTaskStat(statText(name, { 22: 100, 39: 2 }));
  const base = parseTaskStatus('Cpus_allowed_list:\t2\nVmLck:\t 4 kB\nVmSwap:\t 0 kB\n');
  if (stat === undefined || base === undefined) throw new Error('no stat');
  return { ...stat, pid: 7, tid: 8, migrations: 0, ...change, status: { ...base, ...status } };
}

const PLACED: PlacedProcess = {
  name: 'md',
  why: undefined,
  own: [2],
  idle: [],
  rest: [0],
  threads: [rule('rx', [[2]], { policy: 'fifo', priority: 48 })],
  memory: { policy: 'bind', nodes: [0], lock: true, hugepages: {}, why: '' },
};

/** Looks one second apart. */
function looksWith(tasks: readonly (readonly TaskLook[])[], rest: Partial<Look> = {}): Look[] {
  const nodes = new Map([[0, 4096]]);
  return tasks.map((threads, index) => ({
    atMs: index * 1000,
    processes: [{ pid: 7, threads, nodes }],
    others: [],
    otherCount: 3,
    interrupts: { cpus: new Map(), devices: [] },
    ...rest,
  }));
}

const CPUS = { exclusive: [2], watched: [2], isolated: [2], tickless: [] };

function differences(looks: readonly Look[], placed = PLACED): Record<string, string> {
  const judged = judgeProcess({ placed, pid: 7, looks: looksOf(7, looks) }, { looks, cpus: CPUS });
  return Object.fromEntries(judged.filter(({ status }) => status !== 'pass').map(({ id, status }) => [id, status]));
}

const fine = (change: Partial<TaskLook> = {}, status: object = {}) =>
  task('rx', { policy: 'fifo', priority: 48, ...change }, status);

describe('a process', () => {
  test('as it was placed', () => {
    expect(differences(looksWith([[fine()], [fine()]]))).toEqual({});
  });

  test.each([
    ['allowed elsewhere for a moment', [fine(), fine({}, { allowed: [3] }), fine()], 'processes.cpus@md/rx'],
    ['allowed on more', [fine(), fine({}, { allowed: [2, 3] })], 'processes.cpus@md/rx'],
    ['running elsewhere', [fine(), fine({ cpu: 3, ticks: 9 })], 'processes.cpus@md/rx'],
    ['another policy', [fine(), fine({ policy: 'other', priority: 0 })], 'processes.policy@md/rx'],
    ['another priority', [fine(), fine({ priority: 90 })], 'processes.policy@md/rx'],
    ['moved and moved back', [fine(), fine({ migrations: 2 })], 'processes.migrations@md/rx'],
    ['page faults', [fine(), fine({ minorFaults: 500 })], 'processes.faults@md/rx'],
    ['one page fault from disk', [fine(), fine({ majorFaults: 1 })], 'processes.faults@md/rx'],
    ['switched away from', [fine(), fine({}, { involuntary: 50 })], 'processes.switches@md/rx'],
    ['memory that is not locked', [fine(), fine({}, { lockedBytes: 0 })], 'processes.locked@md'],
    ['memory in swap', [fine(), fine({}, { swapBytes: 4096 })], 'processes.swap@md'],
    ['another name', [fine(), fine({ name: 'tx' })], 'processes.thread@md/rx'],
  ])('%s', (_, tasks, id) => {
    expect(differences(looksWith(tasks.map((each) => [each])))).toEqual({ [id]: 'fail' });
  });

  test('where a thread slept before it was placed says nothing', () => {
    expect(differences(looksWith([[fine({ cpu: 3 })], [fine({ cpu: 3 })]]))).toEqual({});
  });

  test('a thread that nobody placed, on the CPU of the one that started it', () => {
    const placed = { ...PLACED, threads: [...PLACED.threads, rule('*', [[0]])] };
    const extra = task('extra', { tid: 9 });
    const found = differences(looksWith([[fine()], [fine(), extra]]), placed);
    expect(found).toEqual({ 'processes.cpus@md/*': 'fail', 'processes.threads@md': 'fail' });
  });

  test('memory on another node', () => {
    const looks = looksWith([[fine()], [fine()]], {
      processes: [{ pid: 7, threads: [fine()], nodes: new Map([[1, 4096]]) }],
    });
    expect(differences(looks)).toEqual({ 'processes.nodes@md': 'fail' });
  });

  test('what could not be read is unknown, what the kernel does not count unsupported', () => {
    const blind = { ...fine({ migrations: undefined }), status: undefined };
    const looks = looksWith([[blind], [blind]], { processes: [{ pid: 7, threads: [blind], nodes: undefined }] });
    expect(differences(looks)).toEqual({
      'processes.cpus@md/rx': 'unknown',
      'processes.migrations@md/rx': 'unsupported',
      'processes.locked@md': 'unknown',
      'processes.swap@md': 'unknown',
      'processes.nodes@md': 'unknown',
    });
  });

  test('a thread that came, also where it is allowed to be, and one that came and went', () => {
    const placed = { ...PLACED, threads: [...PLACED.threads, rule('*', [[0]])] };
    const helper = task('helper', { tid: 9, startTicks: '250' }, { allowed: [0] });
    const looks = looksWith([[fine()], [fine(), helper], [fine()]]);
    const judged = judgeProcess({ placed, pid: 7, looks: looksOf(7, looks) }, { looks, cpus: CPUS });
    expect(judged.find(({ id }) => id === 'processes.threads@md')).toMatchObject({
      status: 'fail',
      actual: 'helper',
      evidence: 'thread "helper" (9), started 1.5 s after its process, allowed on 0',
    });
  });

  test('a thread that came to a process whose threads nobody named is none of ours', () => {
    const placed = { ...PLACED, threads: [rule('*', [[2]], { policy: 'fifo', priority: 48 })] };
    expect(differences(looksWith([[fine()], [fine(), fine({ tid: 9 })]]), placed)).toEqual({});
  });

  test('memory that was unlocked or swapped for one look is said with the time', () => {
    const looks = looksWith([[fine()], [fine({}, { lockedBytes: 0, swapBytes: 8192 })], [fine()]]);
    const judged = judgeProcess({ placed: PLACED, pid: 7, looks: looksOf(7, looks) }, { looks, cpus: CPUS });
    expect(judged.filter(({ status }) => status === 'fail')).toEqual([
      expect.objectContaining({
        id: 'processes.locked@md',
        evidence: expect.stringContaining('first seen after 1.0 s'),
      }),
      expect.objectContaining({ id: 'processes.swap@md', actual: '8 KiB' }),
    ]);
  });

  test('who ran on the CPU of a thread that was switched away from', () => {
    const worker = (voluntary: number) =>
      task('kworker/2:1', { pid: 40, tid: 40, isKernel: true, isBound: true }, { voluntary });
    const looks = looksWith([[fine()], [fine({}, { involuntary: 50 })]]).map((look, index) => ({
      ...look,
      others: [worker(index), task('idle', { pid: 41, tid: 41 })],
    }));
    const judged = judgeProcess({ placed: PLACED, pid: 7, looks: looksOf(7, looks) }, { looks, cpus: CPUS });
    expect(judged.find(({ status }) => status === 'fail')).toMatchObject({
      id: 'processes.switches@md/rx',
      evidence: 'thread 8 was switched away from 50 times in 1.0 s; kworker/2:1 (kernel thread 40) ran there',
    });
    expect(judgeStrangers({ looks, cpus: CPUS, uptimeS: 10 })[0]).toMatchObject({ actual: 'idle' });
  });

  test('one that was started again meanwhile', () => {
    expect(differences(looksWith([[], [fine()]]))).toEqual({ 'processes.running@md': 'fail' });
  });

  test('one that ended meanwhile', () => {
    expect(differences(looksWith([[fine()], []]))).toEqual({ 'processes.running@md': 'fail' });
  });
});

describe('strangers', () => {
  const judge = (others: readonly TaskLook[][], isolated: readonly number[] = [2]) => {
    const looks = others.map((tasks, index) => ({
      ...(looksWith([[]])[0] as Look),
      atMs: index * 1000,
      others: tasks,
    }));
    const judged = judgeStrangers({ looks, cpus: { ...CPUS, isolated }, uptimeS: 10 });
    return judged.find(({ id }) => id === 'processes.strangers@cpu2');
  };
  const other = (change: Partial<TaskLook> = {}, allowed = [2]) =>
    task('stress', { pid: 50, tid: 50, ...change }, { allowed });

  test('nobody', () => {
    expect(judge([[], []])).toMatchObject({ status: 'pass' });
  });

  test('one that came meanwhile: who, since when', () => {
    expect(judge([[], [other()]])).toMatchObject({
      status: 'fail',
      actual: 'stress',
      evidence: 'stress (process 50), allowed on 2, last ran on 2; first seen after 1.0 s, started 9.0 s ago',
    });
  });

  test('one that may run there beside other CPUs: where the kernel isolates it, else it is nobody', () => {
    expect(judge([[other({}, [0, 2])], []])?.status).toBe('fail');
    expect(judge([[other({}, [0, 2])], []], [])?.status).toBe('pass');
    expect(judge([[other({}, [2])], []], [])?.status).toBe('fail');
  });

  test('a kernel thread only when it ran there', () => {
    const kernel = { isKernel: true };
    expect(judge([[other(kernel)], [other(kernel)]])?.status).toBe('pass');
    expect(judge([[other(kernel)], [other({ ...kernel, ticks: 5 })]])?.status).toBe('fail');
  });

  test('a CPU that the kernel does not isolate is said', () => {
    const judged = judgeStrangers({ looks: [], cpus: { ...CPUS, isolated: [] }, uptimeS: 0 });
    expect(judged).toContainEqual(expect.objectContaining({ id: 'processes.isolated@cpu2', status: 'fail' }));
  });

  test('a real one, pinned there', async () => {
    const child = spawn('taskset', ['-c', String(LAST), 'sleep', '600'], { stdio: 'ignore' });
    try {
      const memory = newLookMemory();
      const request: LookRequest = { atMs: 0, pids: [], exclusive: [LAST], watched: [], nodes: 'none', memory };
      const isThere = (look: Look) => look.others.some(({ pid, name }) => pid === child.pid && name === 'sleep');
      let look = await takeLook(new LocalHost(), request);
      await until(async () => {
        look = await takeLook(new LocalHost(), request);
        return isThere(look);
      });
      const judged = judgeStrangers({
        looks: [look, look],
        cpus: { ...CPUS, exclusive: [LAST], isolated: [] },
        uptimeS: 1,
      });
      expect(judged[0]).toMatchObject({ id: `processes.strangers@cpu${LAST}`, status: 'fail' });
    } finally {
      child.kill('SIGKILL');
    }
  }, 60_000);
});

test('a process whose pid was not written down any more is found by its token', async () => {
  const token = `token-${process.pid}-${performance.now()}`;
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore', detached: true, env: { HFT_LAUNCH: token } });
  const bystander = spawn('/bin/sleep', ['600'], { stdio: 'ignore', env: { HFT_LAUNCH: token } });
  try {
    await until(async () => (await findByToken(new LocalHost(), token)) === child.pid);
    expect(await readStart(new LocalHost(), child.pid as number)).toMatch(/^\d+$/);
    expect(await findByToken(new LocalHost(), 'no such token')).toBeUndefined();
  } finally {
    child.kill('SIGKILL');
    bystander.kill('SIGKILL');
  }
}, 60_000);
