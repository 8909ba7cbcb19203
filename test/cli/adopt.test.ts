import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FIRST, LAST, Launched, REFERENCE } from './launched.ts';
import { buildWhenStale, transcribe } from './run-hft.ts';

const TIME_LIMIT_MS = 180_000;
let here: Launched;
let other: ChildProcess;

beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);
beforeEach(() => {
  here = new Launched();
  const threads = ['rx:block', 'log:block'].flatMap((each) => ['--thread', each]);
  other = spawn(REFERENCE, ['--socket', here.socket('feed'), ...threads], { stdio: 'ignore' });
  here.until(() => here.ask('feed', 'health').exitCode === 0);
});
afterEach(() => {
  other.kill('SIGKILL');
  here.end();
}, TIME_LIMIT_MS);

/** What the kernel says of each thread: its CPUs, policy, priority and nice value. */
function schedules(): Record<string, string> {
  const listed = here.shell(
    `for t in /proc/${other.pid}/task/*; do cat $t/comm; grep Cpus_allowed_list $t/status; cut -d' ' -f19,40,41 < $t/stat; done`,
  );
  const lines = listed.stdout.trim().split('\n');
  return Object.fromEntries(
    Array.from({ length: lines.length / 3 }, (_, index) => lines.slice(index * 3, index * 3 + 3)).map(
      ([name = '', allowed = '', numbers = '']) => [name, `${allowed.replace(/\D*:\s*/, '')} ${numbers}`],
    ),
  );
}

/** Its parent is this process, which reaps it when the test is over. */
const hasEnded = () => /\) Z /.test(readFileSync(`/proc/${other.pid}/stat`, 'utf8'));

const ids = (results: readonly { readonly id: string; readonly status: string }[]) =>
  results.filter(({ status }) => status === 'fail').map(({ id }) => id);

describe('hft adopt', { timeout: TIME_LIMIT_MS }, () => {
  test('places the threads of a running process, has them watched, and gives back what they had', () => {
    const before = schedules();
    const { exitCode, stdout } = here.hft(
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
    expect(schedules()).toEqual({ 'hft-reference': ordinary, rx: `${LAST} 3 0 3`, log: ordinary });
    expect(JSON.parse(here.hft('ps --json').stdout)).toMatchObject({
      deployment: null,
      processes: [{ name: 'feed', phase: 'running', pid: other.pid, adopted: true }],
    });
    here.ask('feed', 'policy rx other 5');
    here.ask('feed', 'thread late block');
    const { results } = JSON.parse(here.hft('verify processes --duration 1s --json').stdout);
    expect(ids(results)).toEqual(['processes.policy@feed/rx']);
    here.ask('feed', 'policy rx batch 3');
    expect(here.hft('rollback').exitCode).toBe(0);
    expect(schedules()).toEqual({ ...before, late: ordinary });
    expect(here.hft('ps')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('hft adopt PID') });
  });

  test('without CPUs all threads stay as they are, and are watched; the end of the process is seen and said', () => {
    const before = schedules();
    const { stdout } = here.hft(`adopt ${other.pid} --as feed`);
    expect(stdout).toContain('Nothing had to be changed.');
    expect(schedules()).toEqual(before);
    here.ask('feed', `move rx ${LAST}`);
    expect(Object.keys(here.differences())).toEqual(FIRST === LAST ? [] : ['processes.cpus@feed/rx']);
    other.kill('SIGKILL');
    here.until(hasEnded);
    expect(here.differences()).toMatchObject({ 'processes.running@feed': expect.stringContaining('it ended') });
    expect(here.hft('ps').exitCode).toBe(1);
    expect(here.hft('rollback')).toMatchObject({ exitCode: 0 });
  });

  test('a rollback says which threads have ended', () => {
    here.hft(`adopt ${other.pid} --as feed --cpus ${FIRST}`);
    other.kill('SIGKILL');
    here.until(hasEnded);
    const { exitCode, stdout } = here.hft('rollback');
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/gone +adopt\.cpus@feed\/rx .*the thread has ended/)]);
  });

  test('mistakes: one error, nothing changed', async () => {
    const before = schedules();
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
    expect(schedules()).toEqual(before);
    expect(existsSync(join(here.folder, 'state/journal'))).toBe(false);
  });

  test('only root may; a thread is no process; what hft launched or adopted is taken', () => {
    const nobody = here.shell(`setpriv --reuid=65534 --regid=65534 --clear-groups hft adopt ${other.pid} --as feed`);
    expect(nobody).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('needs root') });
    const rx = here.shell(`ls /proc/${other.pid}/task | sed -n 2p`).stdout.trim();
    expect(here.hft(`adopt ${rx} --as feed`).stderr).toContain(`is a thread of process ${other.pid}`);
    const file = here.write('one.yaml', 'processes: { feed: { command: [/bin/sleep, "600"] } }\n');
    here.hft(`launch ${file} --gate none --wait`);
    const launched = here.process('feed').pid;
    expect(here.hft(`adopt ${other.pid} --as feed`).stderr).toContain('--as feed: deployment one has this name');
    expect(here.hft(`adopt ${launched} --as x`).stderr).toContain('is feed, which hft launched');
    expect(here.hft(`adopt ${here.supervisor} --as x`).stderr).toContain('is the supervisor of hft');
    expect(readFileSync(`/proc/${launched}/status`, 'utf8')).toContain('Name:\tsleep');
  });
});
