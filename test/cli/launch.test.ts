import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as anyTest, beforeAll, describe } from 'vitest';
import { isAlive, readProc } from '../processes.ts';
import { FIRST, LAST, Launched, REFERENCE } from './launched.ts';
import { buildWhenStale } from './run-hft.ts';

const TIME_LIMIT_MS = 180_000;

/** Each test has an hft of its own, so that they can run beside each other: most of their time is waiting. */
const test = anyTest.extend<{ here: Launched }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest takes the names of what it needs from it
  here: async ({}, use) => {
    const here = new Launched();
    await use(here);
    await here.end();
  },
});

beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);

const two = (here: Launched, health = '') => `
processes:
  md:
    command: [${REFERENCE}, --socket, ${here.socket('md')}, --thread, "md-rx:block", --thread, "log:block"]
    threads:
      md-rx: { cpus: ${LAST}, policy: batch }
      "*": ${FIRST}
    environment: { COLOUR: green }
    restart: { when: always, delay: 10ms }
  strategy:
    command: [${REFERENCE}, --socket, ${here.socket('strategy')}]
    requires: [md]
    ${health}
    restart: { when: on-failure, delay: 10ms }
`;

describe.concurrent('hft launch', { timeout: TIME_LIMIT_MS }, () => {
  test('starts each process in its order, with its threads where they were placed', async ({ here, expect }) => {
    const { exitCode, stdout } = await here.hft(
      `launch ${here.write('two.yaml', two(here))} --gate none --wait --json`,
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      gate: 'none',
      processes: [
        { name: 'md', phase: 'running', restarts: 0 },
        { name: 'strategy', phase: 'running', restarts: 0 },
      ],
    });
    const md = here.process('md');
    expect(here.threads('md').map(({ name, allowed }) => [name, allowed])).toEqual([
      ['hft-reference', String(FIRST)],
      ['md-rx', String(LAST)],
      ['log', String(FIRST)],
    ]);
    expect(readFileSync(`/proc/${md.pid}/environ`, 'utf8').split('\0')).toContain('COLOUR=green');
    expect(readFileSync(join(here.folder, 'state/launches.jsonl'), 'utf8')).toContain('"gate":"none"');
  });

  test('what a process is told is for its user alone: neither in the order nor on a command line', async ({
    here,
    expect,
  }) => {
    await here.hft(`launch ${here.write('two.yaml', two(here).replace('green', `'a "b" $c \\d'`))} --gate none --wait`);
    const environ = readFileSync(`/proc/${here.process('md').pid}/environ`, 'utf8').split('\0');
    expect(environ).toContain('COLOUR=a "b" $c \\d');
    const folder = join(here.folder, 'run/launch');
    expect(readFileSync(join(folder, 'order.json'), 'utf8')).not.toContain('COLOUR');
    const files = readdirSync(join(folder, 'environment'));
    expect(files).toEqual([expect.stringMatching(/^md\.[0-9a-f]+\.env$/)]);
    expect(statSync(join(folder, 'environment', files[0] as string)).mode & 0o777).toBe(0o600);
  });

  test('starts nothing on a host of which nobody says how it should be', async ({ here, expect }) => {
    const { exitCode, stderr } = await here.hft(`launch ${here.write('two.yaml', two(here))} --wait`);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Nothing was started')]);
    expect(await here.hft('ps')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Nothing was launched here'),
    });
  });

  test('starts nothing on a host that is not as the profile wants it', async ({ here, expect }) => {
    const { exitCode, stderr } = await here.hft(
      `launch ${here.write('two.yaml', `profile: colo\n${two(here)}`)} --wait`,
    );
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('settings are not as the profile wants them')]);
    expect((await here.hft('ps')).exitCode).toBe(2);
  });

  test('starts nothing by the order of an earlier boot, which passed the gate of that one', async ({
    here,
    expect,
  }) => {
    await here.hft(`launch ${here.write('two.yaml', two(here))} --gate none --wait`);
    await here.hft('stop');
    const path = join(here.folder, 'run/launch/order.json');
    const order = JSON.parse(readFileSync(path, 'utf8'));
    const processes = order.processes.map((each: object) => ({ ...each, goal: 'up', asked: 9 }));
    writeFileSync(path, JSON.stringify({ ...order, processes, bootId: 'another' }));
    expect(await here.hft('ps')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Nothing was launched here'),
    });
    expect(here.process('md').phase).toBe('down');
    writeFileSync(path, JSON.stringify({ ...order, processes }));
    expect((await here.hft('ps')).exitCode).not.toBe(2);
    await here.until(() => here.process('md').phase === 'running');
  });

  test('a process that is killed comes back in its place; the one that needs it stays', async ({ here, expect }) => {
    await here.hft(`launch ${here.write('two.yaml', two(here))} --gate none --wait`);
    const [before, strategy] = [here.process('md').pid as number, here.process('strategy').pid];
    process.kill(before, 'SIGKILL');
    await here.until(() => here.process('md').phase === 'running' && here.process('md').pid !== before);
    expect(here.process('md')).toMatchObject({ restarts: 1, lastEnd: 'it was ended by SIGKILL' });
    expect(here.threads('md').find(({ name }) => name === 'md-rx')?.allowed).toBe(String(LAST));
    expect(here.process('strategy').pid).toBe(strategy);
  });

  test('a process that keeps failing stays down, says why, and is tried again when it is asked for', async ({
    here,
    expect,
  }) => {
    const file = here.write(
      'loop.yaml',
      'processes:\n  loop:\n    command: [/bin/sh, -c, "exit 7"]\n    restart: { when: always, delay: 10ms, breaker: { restarts: 2, within: 3600s } }\n',
    );
    const { exitCode, stdout } = await here.hft(`launch ${file} --gate none --wait --json`);
    expect(exitCode).toBe(1);
    const [loop] = JSON.parse(stdout).processes;
    expect(loop).toMatchObject({ phase: 'broken', restarts: 2, lastEnd: 'it ended with 7' });
    expect(loop.why).toContain('started 3 times within 3600 s');
    expect(JSON.parse((await here.hft(`launch ${file} --gate none --wait --json`)).stdout).processes[0].restarts).toBe(
      2,
    );
  });

  test('a process that does not answer its health check is started again', async ({ here, expect }) => {
    const ask = `[${REFERENCE}, ask, ${here.socket('strategy')}, health]`;
    const health = `health: { command: ${ask}, every: 1s, within: 1s, failures: 2 }`;
    await here.hft(`launch ${here.write('two.yaml', two(here, health))} --gate none --wait`);
    await here.ask('strategy', 'silence');
    await here.until(() => here.process('strategy').restarts > 0);
    expect(here.process('strategy').lastEnd).toBe('2 health checks in a row failed');
  });

  test('a process that does not say that it lives is started again', async ({ here, expect }) => {
    const file = here.write(
      'watchdog.yaml',
      `processes:\n  md:\n    command: [${REFERENCE}, --socket, ${here.socket('md')}]\n    ready: notify\n    health: { watchdog: 2s }\n    restart: { when: always, delay: 10ms }\n`,
    );
    expect((await here.hft(`launch ${file} --gate none --wait`)).exitCode).toBe(0);
    await here.ask('md', 'silence');
    await here.until(() => here.process('md').restarts > 0);
    expect(here.process('md').lastEnd).toContain('did not say that it lives');
  });

  test('what a process waits for and never comes is said', async ({ here, expect }) => {
    const file = here.write(
      'waits.yaml',
      'processes:\n  a:\n    command: [/bin/false]\n    restart: { when: never }\n  b:\n    command: [/bin/sleep, "1000"]\n    requires: [a]\n    readyWithin: 1s\n',
    );
    const { exitCode, stdout } = await here.hft(`launch ${file} --gate none --json`);
    expect([exitCode, JSON.parse(stdout).asked]).toEqual([0, ['a', 'b']]);
    await here.until(() => here.process('a').phase === 'ended');
    await here.until(() => here.process('b').why === 'requires a, which is ended');
    expect(here.process('b').phase).toBe('waiting');
  });
});

describe.concurrent('what runs is left alone', { timeout: TIME_LIMIT_MS }, () => {
  test('when its supervisor is killed; the next hft takes it over', async ({ here, expect }) => {
    await here.hft(`launch ${here.write('two.yaml', two(here))} --gate none --wait`);
    const pid = here.process('md').pid as number;
    const killed = here.supervisor;
    process.kill(killed, 'SIGKILL');
    await here.until(() => !isAlive(killed));
    expect(isAlive(pid)).toBe(true);
    expect((await here.list()).supervisor).toBe('taken-over');
    await here.until(() => here.supervisor !== killed);
    expect(here.process('md')).toMatchObject({ phase: 'running', pid, restarts: 0 });
    process.kill(pid, 'SIGKILL');
    await here.until(() => here.process('md').phase === 'running' && here.process('md').pid !== pid);
    expect(here.process('md').lastEnd).toBe('it ended, how is not known');
  });

  test('when it is killed before it wrote down which process it started', async ({ here, expect }) => {
    await here.hft(`launch ${here.write('two.yaml', two(here))} --gate none --wait`);
    const pid = here.process('md').pid as number;
    const killed = here.supervisor;
    process.kill(killed, 'SIGKILL');
    await here.until(() => !isAlive(killed));
    const file = join(here.folder, 'run/launch/state.json');
    const state = JSON.parse(readFileSync(file, 'utf8'));
    const [{ pid: _pid, startTicks: _start, ...md }, strategy] = state.processes;
    writeFileSync(file, JSON.stringify({ ...state, processes: [{ ...md, phase: 'starting' }, strategy] }));
    await here.list();
    await here.until(() => here.supervisor !== killed && here.process('md').phase === 'running');
    expect(here.process('md')).toMatchObject({ pid, restarts: 0 });
  });

  test('when it is launched again as it is', async ({ here, expect }) => {
    const file = here.write('two.yaml', two(here));
    await here.hft(`launch ${file} --gate none --wait`);
    const before = here.process('md').pid;
    expect((await here.hft(`launch ${file} --gate none --wait`)).exitCode).toBe(0);
    expect(here.process('md').pid).toBe(before);
  });

  test('when it would be started in another way: that is refused', async ({ here, expect }) => {
    await here.hft(`launch ${here.write('two.yaml', two(here))} --gate none --wait`);
    const before = here.process('md').pid;
    const { exitCode, stderr } = await here.hft(
      `launch ${here.write('two.yaml', two(here).replace('green', 'red'))} --gate none`,
    );
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('md runs, and it would be started in another way')]);
    expect(here.process('md').pid).toBe(before);
  });

  test('with --restart only what changed is started again', async ({ here, expect }) => {
    await here.hft(`launch ${here.write('two.yaml', two(here))} --gate none --wait`);
    const [md, strategy] = [here.process('md').pid, here.process('strategy').pid];
    const changed = here.write('two.yaml', two(here).replace('green', 'red'));
    expect((await here.hft(`launch ${changed} --gate none --restart --wait`)).exitCode).toBe(0);
    expect(here.process('md').pid).not.toBe(md);
    expect(here.process('strategy').pid).toBe(strategy);
    expect(readFileSync(`/proc/${here.process('md').pid}/environ`, 'utf8')).toContain('COLOUR=red');
  });
});

test.concurrent('heal: on puts a thread back that moved itself', { timeout: TIME_LIMIT_MS }, async ({
  here,
  expect,
}) => {
  await here.hft(`launch ${here.write('two.yaml', `heal: on\n${two(here)}`)} --gate none --wait`);
  await here.ask('md', 'policy md-rx other 5');
  await here.ask('md', `move md-rx ${FIRST}`);
  const tid = here.threads('md').find(({ name }) => name === 'md-rx')?.tid;
  const isBack = () =>
    readProc(`/proc/${tid}/status`).includes(`Cpus_allowed_list:\t${LAST}\n`) &&
    readProc(`/proc/${tid}/sched`).match(/^policy\s*:\s*3$/m) !== null;
  await here.until(isBack);
  expect(isBack()).toBe(true);
});

describe.concurrent('hft stop', { timeout: TIME_LIMIT_MS }, () => {
  test('one by its name, then all', async ({ here, expect }) => {
    await here.hft(`launch ${here.write('two.yaml', two(here))} --gate none --wait`);
    const [md, strategy] = [here.process('md').pid as number, here.process('strategy').pid as number];
    expect((await here.hft('stop strategy')).exitCode).toBe(0);
    expect([isAlive(md), isAlive(strategy)]).toEqual([true, false]);
    expect((await here.hft('stop')).exitCode).toBe(0);
    expect(isAlive(md)).toBe(false);
  });

  test('ends one that does not listen, and what it left behind', async ({ here, expect }) => {
    const file = here.write(
      'deaf.yaml',
      `processes:\n  deaf:\n    command: [/bin/sh, -c, "trap '' TERM; sleep 1000 & echo $! > ${here.folder}/child; wait; wait"]\n    stop: { within: 1s }\n`,
    );
    await here.hft(`launch ${file} --gate none --wait`);
    const child = join(here.folder, 'child');
    await here.until(() => existsSync(child) && readFileSync(child, 'utf8').trim() !== '');
    const [pid, left] = [here.process('deaf').pid as number, Number(readFileSync(child, 'utf8'))];
    expect((await here.hft('stop')).exitCode).toBe(0);
    await here.until(() => !isAlive(left));
    expect(isAlive(pid)).toBe(false);
  });
});

describe.concurrent('mistakes', { timeout: TIME_LIMIT_MS }, () => {
  test.for<[string, number, string]>([
    ['launch', 2, 'needs a deployment'],
    ['launch two.yaml --only nobody --gate none', 2, 'there is no process "nobody"'],
    ['stop nobody', 2, 'There is no process "nobody" that hft launched'],
    ['verify processes', 2, 'Nothing was launched here'],
    ['ps --watch --json', 2, '--watch is for people'],
  ])('hft %s', async ([line, exitCode, message], { here, expect }) => {
    const file = here.write('two.yaml', two(here));
    const { exitCode: code, stderr, stdout } = await here.hft(line.replace('two.yaml', file));
    expect([code, stderr + stdout]).toEqual([exitCode, expect.stringContaining(message)]);
  });

  test('a program that is not there: at its place in the file, before anything starts', async ({ here, expect }) => {
    const file = here.write('missing.yaml', 'processes:\n  a:\n    command: [/no/such/program]\n');
    const { exitCode, stderr } = await here.hft(`launch ${file} --gate none`);
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('missing.yaml:3:15  processes.a.command.0: there is no program'),
    ]);
    expect((await here.hft('ps')).exitCode).toBe(2);
  });
});
