import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { test as anyTest, beforeAll, describe, expect } from 'vitest';
import { AgentProcess } from './agent-process.ts';
import { FIRST, REFERENCE } from './launched.ts';
import { awaitShell, buildWhenStale, cleanEnvironment, ROOT, type Run } from './run-hft.ts';

const TIME_LIMIT_MS = 600_000;

/** Each test has an agent of its own. */
const test = anyTest.extend<{ agent: AgentProcess }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest takes the names of what it needs from it
  agent: async ({}, use) => {
    const agent = new AgentProcess();
    await use(agent);
    await agent.end('SIGKILL');
  },
});

beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);

/** `host: what failed` on the first line, what to do on the second. */
function expectRefusal({ stdout, stderr, exitCode }: Run, code: number, what: RegExp) {
  const [first = '', next = '', ...more] = stderr.trimEnd().split('\n');
  expect([exitCode, stdout, first]).toEqual([code, '', expect.stringMatching(what)]);
  expect(next).toMatch(/^ {2}\S/);
  expect(more).toEqual([]);
}

describe('--host', { timeout: TIME_LIMIT_MS }, () => {
  test('prints what the command prints on the host itself', async ({ agent }) => {
    await agent.introduce('operator');
    for (const line of [
      'hft plan --profile workstation',
      'hft plan --profile workstation --only memory,kernel --json',
      'hft verify settings --profile workstation',
      'hft verify settings --profile workstation --json',
      'hft inspect --profile workstation',
      'hft status',
      'hft status --json',
      'hft tune --profile workstation --dry-run',
    ]) {
      const [here, there] = [await agent.onHost(line), await agent.asController(`${line} --host BOX`)];
      // What the machine itself changed in between is no difference.
      const same = isDeepStrictEqual(there, here) ? here : await agent.onHost(line);
      expect([line, there]).toEqual([line, same]);
    }
  });

  test('says where in the profile a mistake is that only the host can find', async ({ agent }) => {
    await agent.introduce('operator');
    const file = join(agent.controller.HOME as string, 'mine.yaml');
    writeFileSync(file, 'layout:\n  isolated: 0-4000\n');
    const here = await agent.asController(`hft plan --profile ${file}`);
    const there = await agent.asController(`hft plan --profile ${file} --host BOX`);
    expect(there).toEqual(here);
    expect(there.stderr).toContain(`${file}:2:`);
  });

  test('a viewer looks, and changes nothing', async ({ agent }) => {
    await agent.introduce('viewer');
    expect((await agent.asController('hft status --host BOX')).exitCode).toBe(0);
    const refused = /^127.0.0.1:\d+: alice is a viewer there: `\w+` is for operators\.$/;
    for (const line of ['tune --profile workstation --yes', 'rollback --all', 'confirm'])
      expectRefusal(await agent.asController(`hft ${line} --host BOX`), 3, refused);
  });

  test('needs another host, a snapshot, or neither', async () => {
    const { exitCode, stderr } = await awaitShell(
      `hft plan --profile colo --host box7 --snapshot ${ROOT}/test/machines/two-socket`,
    );
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--snapshot')]);
  });
});

describe('launched through the agent', { timeout: TIME_LIMIT_MS }, () => {
  const deployment = `processes:\n  md:\n    command: [${REFERENCE}, --thread, "md-rx:block"]\n    threads: { "*": ${FIRST} }\n`;

  test('a deployment of the host by its name; then ps and stop', async ({ agent }) => {
    await agent.introduce('operator');
    mkdirSync(agent.hostFile('deployments'), { recursive: true });
    writeFileSync(agent.hostFile('deployments/mine.yaml'), deployment);
    try {
      const launched = await agent.asController('hft launch mine --gate none --wait --host BOX --json');
      expect(JSON.parse(launched.stdout)).toMatchObject({
        deployment: 'mine',
        processes: [{ name: 'md', phase: 'running' }],
      });
      const record = readFileSync(join(agent.host.HFT_STATE_DIR as string, 'launches.jsonl'), 'utf8');
      expect(JSON.parse(record)).toMatchObject({ event: 'launch', by: 'alice' });
      const listed = await agent.asController('hft ps --host BOX --json');
      expect(JSON.parse(listed.stdout).processes[0].threads.map(({ name }: { name: string }) => name)).toContain(
        'md-rx',
      );
      expect((await agent.asController('hft ps --host BOX')).exitCode).toBe(0);
      expect((await agent.asController('hft status --host BOX --json')).stdout).toContain('"deployment": "mine"');
      expect(await agent.asController('hft stop --host BOX')).toEqual(expect.objectContaining({ exitCode: 0 }));
    } finally {
      await agent.onHost('hft stop');
    }
  });

  test('a file, here or there, is none: what is started is what the host has', async ({ agent }) => {
    await agent.introduce('operator');
    const file = join(agent.controller.HOME as string, 'mine.yaml');
    writeFileSync(file, deployment);
    for (const name of [file, '../../tmp/mine', 'mine.yaml'])
      expectRefusal(
        await agent.asController(`hft launch ${name} --gate none --host BOX`),
        3,
        /does not understand the request: deployment: expected the name of one that is on the host\.$/,
      );
  });

  test('a viewer sees it, and starts and ends nothing', async ({ agent }) => {
    await agent.introduce('viewer');
    expectRefusal(
      await agent.asController('hft launch mine --host BOX'),
      3,
      /alice is a viewer there: `launch` is for operators/,
    );
    expectRefusal(
      await agent.asController('hft stop --host BOX'),
      3,
      /alice is a viewer there: `stop` is for operators/,
    );
    expectRefusal(await agent.asController('hft ps --host BOX'), 2, /: Nothing was launched here\.$/);
  });
});

describe('one clear line', { timeout: TIME_LIMIT_MS }, () => {
  test('a controller without a key', async ({ agent }) => {
    expectRefusal(
      await agent.asController('hft status --host box7'),
      2,
      /^box7: there is no key to ask agents with in /,
    );
  });

  test('a host whose key nobody wrote down', async ({ agent }) => {
    await agent.asController('hft agent keygen --controller');
    expectRefusal(await agent.asController('hft status --host box7'), 2, /^box7: its key is not known here\.$/);
  });

  test('a host where nothing listens, and one that does not exist', async ({ agent }) => {
    await agent.introduce('viewer');
    const { publicKey } = JSON.parse((await agent.onHost('hft agent keygen --show --json')).stdout);
    for (const [host, why] of [
      ['127.0.0.1:1', 'nothing listens there'],
      ['nobody.invalid', 'there is no host of this name'],
    ]) {
      await agent.asController(`hft agent trust ${host} ${publicKey}`);
      expectRefusal(
        await agent.asController(`hft status --host ${host}`),
        3,
        new RegExp(`^${host}: the agent cannot be reached: ${why}`),
      );
    }
  });

  test('a key that the host does not know any more', async ({ agent }) => {
    await agent.introduce('operator');
    const { publicKey } = JSON.parse((await agent.asController('hft agent keygen --controller --show --json')).stdout);
    expect((await agent.onHost(`hft agent authorize ${publicKey} --revoke`)).exitCode).toBe(0);
    expectRefusal(
      await agent.asController('hft status --host BOX'),
      3,
      /: the agent refused the key of this controller\.$/,
    );
    await agent.untilLog('"event":"unknownKeys"');
  });

  test('an agent that has another key than the one that is known of it', async ({ agent }) => {
    await agent.introduce('operator');
    const { publicKey } = JSON.parse((await agent.asController('hft agent keygen --controller --show --json')).stdout);
    await agent.asController(`hft agent trust BOX ${publicKey}`);
    expectRefusal(
      await agent.asController('hft status --host BOX'),
      3,
      /: whatever answers there does not have the key/,
    );
  });

  test('in JSON too', async ({ agent }) => {
    const { stdout, exitCode } = await agent.asController('hft status --host box7 --json');
    expect([exitCode, JSON.parse(stdout).error]).toEqual([2, expect.objectContaining({ exitCode: 2 })]);
  });
});

describe('keys', { timeout: TIME_LIMIT_MS }, () => {
  test('are secret, and are not used when they were not', async ({ agent }) => {
    await agent.introduce('viewer');
    const file = agent.controllerFile('controller.key');
    expect([file, agent.hostFile('agent.key')].map((each) => statSync(each).mode & 0o777)).toEqual([0o600, 0o600]);
    chmodSync(file, 0o644);
    expectRefusal(
      await agent.asController('hft status --host BOX'),
      2,
      /controller\.key is not used: its mode is 0644/,
    );
    chmodSync(agent.hostFile('agent.key'), 0o640);
    expectRefusal(await agent.onHost('hft agent run'), 2, /agent\.key is not used: its mode is 0640/);
  });

  test('a list of controllers that others can write to lets nobody in', async ({ agent }) => {
    await agent.introduce('viewer');
    chmodSync(agent.hostFile('authorized_controllers'), 0o666);
    expectRefusal(await agent.asController('hft status --host BOX'), 3, /refused the key of this controller/);
    await agent.untilLog('"event":"nobody-authorised"');
    expectRefusal(await agent.onHost('hft agent run'), 2, /authorized_controllers is not used: its mode is 0666/);
    chmodSync(agent.hostFile('authorized_controllers'), 0o644);
    expect((await agent.asController('hft status --host BOX')).exitCode).toBe(0);
  });

  test('of the host are changed while it runs: who knows both is served throughout', async ({ agent }) => {
    await agent.introduce('viewer');
    const { publicKey } = JSON.parse((await agent.onHost('hft agent keygen --next --json')).stdout);
    await agent.asController(`hft agent trust BOX ${publicKey} --add`);
    expect((await agent.asController('hft status --host BOX')).exitCode).toBe(0);
    expect(JSON.parse((await agent.onHost('hft agent keygen --promote --json')).stdout).publicKey).toBe(publicKey);
    process.kill(agent.pid, 'SIGHUP');
    await agent.untilLog('"event":"reloaded"');
    expect((await agent.asController('hft status --host BOX')).exitCode).toBe(0);
    await agent.asController(`hft agent trust BOX ${publicKey}`);
    expect((await agent.asController('hft status --host BOX')).exitCode).toBe(0);
  });

  test.for<[string, RegExp]>([
    ['hft agent authorize nonsense', /^KEY: expected a public key \(hftpub_…\), got "nonsense"\.$/],
    ['hft agent trust box7 hftkey_abc', /^KEY: expected a public key \(hftpub_…\), got a secret key\.$/],
    ['hft agent keygen --show', /^There is no key in .*agent\.key\.$/],
    ['hft agent run', /^This host has no key: there is no .*agent\.key\.$/],
    ['hft agent run --listen everywhere', /^--listen: expected ADDRESS or ADDRESS:PORT of this host/],
  ])('%s', async ([line, what], { agent }) => expectRefusal(await agent.onHost(line), 2, what));
});

describe('hft agent run', { timeout: TIME_LIMIT_MS }, () => {
  test('listens on loopback alone unless told to', async ({ agent }) => {
    await agent.onHost('hft agent keygen');
    const help = (await agent.onHost('hft agent run --help')).stdout;
    expect(help).toContain('[default: 127.0.0.1');
    expect(await agent.onHost('hft agent run --listen 192.0.2.7')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('The agent cannot listen on tcp://192.0.2.7:7411'),
    });
  });

  test('ends at SIGTERM, and says what it counted', async ({ agent }) => {
    await agent.introduce('viewer');
    await agent.asController('hft agent status --host BOX');
    expect(await agent.end()).toBe(0);
    const ending = agent.log.split('\n').find((line) => line.includes('"event":"ending"'));
    expect(JSON.parse(ending ?? '')).toMatchObject({ event: 'ending', signal: 'SIGTERM', answered: 1, refused: 0 });
  });

  test('tells systemd that it is ready, lives and ends', async ({ agent }) => {
    await agent.introduce('viewer');
    await agent.end();
    const socket = join(agent.host.HOME as string, 'notify');
    const heard = join(agent.host.HOME as string, 'heard');
    // A child of this process: it ends with its parent, which a shell would be for a moment only.
    const output = openSync(heard, 'w');
    const listener = spawn(`${ROOT}/dist/hft-probe`, ['notify-listen', socket], { stdio: ['ignore', output, output] });
    // What is sent before it listens is lost.
    const says = (word: string) => readFileSync(heard, 'utf8').includes(word);
    while (!says('ready\n')) await sleep(20);
    await agent.start({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' });
    while (!says('READY=1') || !says('WATCHDOG=1')) await sleep(20);
    await agent.end();
    while (!says('STOPPING=1')) await sleep(20);
    expect(readFileSync(heard, 'utf8')).toMatch(/STATUS=listening on tcp[\s\S]*STOPPING=1/);
    listener.kill();
  });
});

test('a profile that unfolds without an end is refused where it is typed', { timeout: TIME_LIMIT_MS }, async () => {
  const environment = cleanEnvironment();
  const file = join(environment.HOME as string, 'bomb.yaml');
  const levels = Array.from({ length: 30 }, (_, level) => {
    const below = level === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ');
    return `a${level}: &a${level} [${below}]`;
  });
  writeFileSync(file, `${levels.join('\n')}\n`);
  const { exitCode, stderr } = await awaitShell(`hft plan --profile ${file} --host box7`, { environment });
  expect([exitCode, stderr.length < 10_000]).toEqual([2, true]);
});
