import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FIRST, LAST, Launched, REFERENCE } from './launched.ts';
import { buildWhenStale, transcribe } from './run-hft.ts';

const TIME_LIMIT_MS = 180_000;
let here: Launched;
let other: ChildProcess;

beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);
beforeEach(async () => {
  here = new Launched();
  const threads = ['rx:block', 'log:block'].flatMap((each) => ['--thread', each]);
  other = spawn(REFERENCE, ['--socket', here.socket('feed'), ...threads], { stdio: 'ignore' });
  await here.until(async () => (await here.ask('feed', 'health')).exitCode === 0);
});
afterEach(async () => {
  other.kill('SIGKILL');
  await here.end();
}, TIME_LIMIT_MS);

/** What the kernel says of each thread: its CPUs, policy, priority and nice value. */
async function schedules(): Promise<Record<string, string>> {
  const listed = await here.shell(
    `for t in /proc/${other.pid}/task/*; do cat $t/comm; grep Cpus_allowed_list $t/status; cut -d' ' -f19,40,41 < $t/stat; done`,
  );
  const lines = listed.stdout.trim().split('\n');
  return Object.fromEntries(
    Array.from({ length: lines.length / 3 }, (_, index) => lines.slice(index * 3, index * 3 + 3)).map(
      ([name = '', allowed = '', numbers = '']) => [name, `${allowed.replace(/\D*:\s*/, '')} ${numbers}`],
    ),
  );
}

/** Ended and reaped: this process is its parent. */
async function endOther(): Promise<void> {
  const ended = once(other, 'exit');
  other.kill('SIGKILL');
  await ended;
}

const ids = (results: readonly { readonly id: string; readonly status: string }[]) =>
  results.filter(({ status }) => status === 'fail').map(({ id }) => id);

describe('hft adopt', { timeout: TIME_LIMIT_MS }, () => {
  test('places the threads of a running process, has them watched, and gives back what they had', async () => {
    const before = await schedules();
    const { exitCode, stdout } = await here.hft(
      `adopt ${other.pid} --as feed --thread rx=${LAST}:batch:3 --cpus ${FIRST} --json`,
    );
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      {
        name: 'feed',
        pid: other.pid,
        threads: [{ name: 'rx', cpus: String(LAST) }, { name: 'hft-reference' }, { name: 'log' }],
      },
    ]);
    // Tests may run at any nice value.
    const ordinary = before.log?.replace(/^\S+/, String(FIRST));
    expect(await schedules()).toEqual({ 'hft-reference': ordinary, rx: `${LAST} 3 0 3`, log: ordinary });
    expect(JSON.parse((await here.hft('ps --json')).stdout)).toMatchObject({
      deployment: null,
      processes: [{ name: 'feed', phase: 'running', pid: other.pid, adopted: true }],
    });
    await here.ask('feed', 'policy rx other 5');
    await here.ask('feed', 'thread late block');
    const { results } = JSON.parse((await here.hft('verify processes --duration 1s --json')).stdout);
    expect(ids(results)).toEqual(['processes.policy@feed/rx']);
    await here.ask('feed', 'policy rx batch 3');
    expect((await here.hft('rollback')).exitCode).toBe(0);
    expect(await schedules()).toEqual({ ...before, late: ordinary });
    expect(await here.hft('ps')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('hft adopt PID') });
  });

  test('without CPUs all threads stay as they are, and are watched; the end of the process is seen and said', async () => {
    const before = await schedules();
    const { stdout } = await here.hft(`adopt ${other.pid} --as feed`);
    expect(stdout).toContain('Nothing had to be changed.');
    expect(await schedules()).toEqual(before);
    await here.ask('feed', `move rx ${LAST}`);
    expect(Object.keys(await here.differences())).toEqual(FIRST === LAST ? [] : ['processes.cpus@feed/rx']);
    await endOther();
    expect(await here.differences()).toMatchObject({ 'processes.running@feed': expect.stringContaining('it ended') });
    expect((await here.hft('ps')).exitCode).toBe(1);
    expect(await here.hft('rollback')).toMatchObject({ exitCode: 0 });
  });

  test('a rollback says which threads have ended', async () => {
    await here.hft(`adopt ${other.pid} --as feed --cpus ${FIRST}`);
    await endOther();
    const { exitCode, stdout } = await here.hft('rollback');
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/gone +adopt\.cpus@feed\/rx .*the thread has ended/)]);
  });

  test('mistakes: one error, nothing changed', async () => {
    const before = await schedules();
    const lines = [
      'hft adopt',
      'hft adopt $FEED',
      'hft adopt feed --as feed',
      'hft adopt 4194304 --as feed',
      'hft adopt 1 --as init',
      'hft adopt $FEED --as Feed_1',
      'hft adopt $FEED --as feed --cpus 7777',
      'hft adopt $FEED --as feed --cpus none',
      'hft adopt $FEED --as feed --cpus 0 --thread "*=0"',
      'hft adopt $FEED --as feed --thread rx',
      'hft adopt $FEED --as feed --thread tx=0',
      'hft adopt $FEED --as feed --thread rx=0:fifo:99',
      'hft adopt $FEED --as feed --thread rx=0:fast',
      'hft adopt $FEED --as feed --thread "*=0:fifo:10"',
      'hft adopt $FEED --as feed --thread rx=0:fifo:99 --json',
      'hft adopt --help',
    ];
    const environment = { ...here.environment, FEED: String(other.pid) };
    const text = transcribe(lines, { environment }).replaceAll(/which has CPUs? [\d,-]+/g, 'which has CPUS');
    await expect(text.replaceAll(/not on \S+,/g, 'not on HOST,')).toMatchFileSnapshot('transcripts/adopt.txt');
    expect(await schedules()).toEqual(before);
    expect(existsSync(join(here.folder, 'state/journal'))).toBe(false);
  });

  test('only root may; a thread is no process; what hft launched or adopted is taken', async () => {
    const nobody = await here.shell(
      `setpriv --reuid=65534 --regid=65534 --clear-groups hft adopt ${other.pid} --as feed`,
    );
    expect(nobody).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('needs root') });
    const rx = (await here.shell(`ls /proc/${other.pid}/task | sed -n 2p`)).stdout.trim();
    expect((await here.hft(`adopt ${rx} --as feed`)).stderr).toContain(`is a thread of process ${other.pid}`);
    const file = here.write('one.yaml', 'processes: { feed: { command: [/bin/sleep, "600"] } }\n');
    await here.hft(`launch ${file} --gate none --wait`);
    const launched = here.process('feed').pid;
    expect((await here.hft(`adopt ${other.pid} --as feed`)).stderr).toContain(
      '--as feed: deployment one has this name',
    );
    expect((await here.hft(`adopt ${launched} --as x`)).stderr).toContain('is feed, which hft launched');
    expect((await here.hft(`adopt ${here.supervisor} --as x`)).stderr).toContain('is the supervisor of hft');
    expect(readFileSync(`/proc/${launched}/status`, 'utf8')).toContain('Name:\tsleep');
  });
});
