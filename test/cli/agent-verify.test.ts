import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test as anyTest, beforeAll, describe, expect } from 'vitest';
import { freePort } from '../free-port.ts';
import { isAlive, readProc } from '../processes.ts';
import { AgentProcess } from './agent-process.ts';
import { FIRST, REFERENCE } from './launched.ts';
import { buildWhenStale, HFT, type Run } from './run-hft.ts';

/** Real agents on loopback and real measurements. Nothing is timed: what happens is waited for. */
const TIME_LIMIT_MS = 600_000;

const test = anyTest.extend<{ agent: AgentProcess }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest takes the names of what it needs from it
  agent: async ({}, use) => {
    const agent = new AgentProcess();
    agent.host.HFT_AGENT_RESPONDER_PORT = String(await freePort());
    await use(agent);
    await agent.end('SIGKILL');
  },
});

beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);

const JITTER = `hft verify latency --probe jitter --cpus ${FIRST} --duration`;
const LONG = `${JITTER} 10m --host BOX`;

async function until(is: () => boolean): Promise<void> {
  while (!is()) await sleep(20);
}

/** Processes of hft-probe that the agent has started, of this kind. */
function probesOf(pid: number, kind: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => {
      const argv = readProc(`/proc/${each}/cmdline`).split('\0');
      return argv[0]?.endsWith('/hft-probe') && argv[1] === kind && argv.includes(String(pid));
    });
}

async function probeOf(pid: number, kind: string): Promise<number> {
  let [found] = probesOf(pid, kind);
  for (; found === undefined; [found] = probesOf(pid, kind)) await sleep(20);
  return found;
}

/** To be killed, or to be interrupted. */
function begin(agent: AgentProcess, line: string): { child: ChildProcess; ended: Promise<Run> } {
  const argv = line.replaceAll('BOX', agent.name).split(' ').slice(1);
  const child = spawn(HFT, argv, { env: agent.controller, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (piece) => (texts[name] += piece));
  const ended = once(child, 'close').then(([exitCode]) => ({ ...texts, exitCode }) as Run);
  return { child, ended };
}

const traces = () =>
  ['/sys/kernel/tracing', '/sys/kernel/debug/tracing']
    .map((folder) => `${folder}/instances`)
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .filter((name) => name.startsWith('hft'));

describe('verify latency --host', { timeout: TIME_LIMIT_MS }, () => {
  test('measures there; files land here, and what is saved is kept there', async ({ agent }) => {
    await agent.introduce('operator');
    const [page, log] = ['page.html', 'log.hdr'].map((name) => join(agent.controller.HOME as string, name));
    const line = `${JITTER} 1s --profile workstation --host BOX --save before`;
    const first = await agent.asController(`${line} --report ${page} --hdr ${log} --json`);
    const result = JSON.parse(first.stdout);
    expect(result).toMatchObject({ profile: { name: 'workstation' }, cpus: { cpus: [FIRST] }, saved: { runs: 1 } });
    expect(result.probes.map(({ name }: { name: string }) => name)).toEqual(['jitter']);
    expect(readFileSync(page as string, 'utf8')).toMatch(/<svg|<table/);
    expect(readFileSync(log as string, 'utf8')).toContain('Tag=jitter');
    expect(existsSync(join(agent.host.HFT_STATE_DIR as string, 'baselines/before/baseline.json'))).toBe(true);
    expect(existsSync(join(agent.controller.HFT_STATE_DIR as string, 'baselines'))).toBe(false);
    const taken = await agent.asController(line);
    expect([taken.exitCode, taken.stderr]).toEqual([2, expect.stringContaining('saved as before already')]);
    const second = await agent.asController(`${JITTER} 1s --host BOX --baseline before`);
    expect(second.stdout).toContain('Compared with a saved measurement');
    expect((await agent.asController('hft status --host BOX --json')).stdout).toContain('"latency"');
  });

  test('many hosts: one line each, one JSON, one file is refused', async ({ agent }) => {
    await agent.introduce('operator');
    const inventory = join(agent.controller.HOME as string, 'hosts.ini');
    const [host, port] = agent.name.split(':');
    writeFileSync(
      inventory,
      `[all]\nup ansible_host=${host} hft_agent_port=${port}\ndown ansible_host=${host} hft_agent_port=1\n`,
    );
    const { publicKey } = JSON.parse((await agent.onHost('hft agent keygen --show --json')).stdout);
    await agent.asController(`hft agent trust ${host}:1 ${publicKey}`);
    const { stdout, exitCode, stderr } = await agent.asController(`${JITTER} 1s --inventory ${inventory} --json`);
    const { hosts } = JSON.parse(stdout);
    expect(hosts.map((each: { host: string }) => each.host)).toEqual(['up', 'down']);
    expect([hosts[0].result.probes[0].name, hosts[1].error.message, exitCode, stderr]).toEqual([
      'jitter',
      expect.stringMatching(/^down: .*cannot be reached/),
      3,
      '',
    ]);
    const refused = await agent.asController(`${JITTER} 1s --inventory ${inventory} --report x.html`);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--report is one file')]);
  });

  test.for<[string, number, RegExp]>([
    ['--redis 10.0.0.1:6379', 2, /--redis does not go with --host or --inventory/],
    ['--memcached unix:/run/x', 2, /--memcached does not go with/],
    ['--pattern /etc/passwd', 2, /--pattern does not go with/],
    ['--probe network --peer 10.0.0.7 --xdp eth0', 2, /--xdp does not go with/],
    ['--fix --profile colo', 2, /--fix does not go with/],
    ['--serve', 2, /--serve does not go with/],
    ['--ingest /etc/passwd', 2, /--ingest does not go with/],
    ['--probe network --peer agent://x', 2, /--peer agent:\/\/ does not go with/],
    ['--probe network --peer 127.0.0.1:22', 3, /peer\.port/],
    ['--probe network --peer 224.0.0.1', 3, /peer\.address/],
    ['--save ../x', 2, /--save "..\/x"/],
    ['--duration 24h', 2, /an agent measures for 240 at most/],
    ['--probe jitter --cpus 4000 --duration 1s', 2, /CPU 4000/],
    ['--probe jitter --duration 0s', 2, /--duration: expected 1s to 24h/],
    ['--peer-cpu 1', 2, /--peer-cpu is of no use without --peer agent:\/\/HOST/],
  ])('%s: one clear error, and nothing begun', async ([flags, code, why], { agent }) => {
    await agent.introduce('operator');
    const { stdout, stderr, exitCode } = await agent.asController(`hft verify latency ${flags} --host BOX`);
    expect([stdout, exitCode, stderr]).toEqual(['', code, expect.stringMatching(why)]);
    expect(probesOf(agent.pid, 'jitter')).toEqual([]);
  });

  test('Ctrl-C ends it there too, and shows what was measured', async ({ agent }) => {
    await agent.introduce('operator');
    const { child, ended } = begin(agent, `${LONG} --json`);
    const probe = await probeOf(agent.pid, 'jitter');
    const second = await agent.asController(`${JITTER} 1s --host BOX`);
    expect([second.exitCode, second.stderr]).toEqual([
      3,
      expect.stringContaining('alice is at it there already (verify latency)'),
    ]);
    child.kill('SIGINT');
    const { stdout, exitCode } = await ended;
    expect([JSON.parse(stdout).cut, exitCode]).toEqual([true, 6]);
    await until(() => !isAlive(probe));
    expect([probesOf(agent.pid, 'jitter'), traces()]).toEqual([[], []]);
  });

  test('killed, the controller leaves nothing there, and the next one may measure', async ({ agent }) => {
    await agent.introduce('operator');
    const { child } = begin(agent, LONG);
    const probe = await probeOf(agent.pid, 'jitter');
    child.kill('SIGKILL');
    await until(() => !isAlive(probe));
    await agent.untilLog('"ask":"verify-latency"');
    expect([probesOf(agent.pid, 'jitter'), traces()]).toEqual([[], []]);
    expect((await agent.asController(`${JITTER} 1s --host BOX`)).exitCode).toBe(0);
  });

  test('killed, the agent takes the measurement with it, and says nothing: the controller does', async ({ agent }) => {
    await agent.introduce('operator');
    const { ended } = begin(agent, LONG);
    const { pid } = agent;
    const probe = await probeOf(pid, 'jitter');
    await agent.end('SIGKILL');
    await until(() => !isAlive(probe));
    await agent.start();
    const { stderr, exitCode } = await ended;
    expect([exitCode, stderr]).toEqual([3, expect.stringMatching(/not at work there any more|connection was lost/)]);
    await until(() => traces().length === 0 && probesOf(pid, 'jitter').length === 0);
  });

  test('killed, the probe is no bug: the row is missing, with the reason', async ({ agent }) => {
    await agent.introduce('operator');
    const { ended } = begin(agent, `${LONG} --json`);
    process.kill(await probeOf(agent.pid, 'jitter'), 'SIGKILL');
    const { stdout, exitCode } = await ended;
    expect(JSON.parse(stdout).notMeasured[0].reason).toContain('was ended by signal 9');
    expect(exitCode).toBe(6);
  });

  test('a viewer measures nothing', async ({ agent }) => {
    await agent.introduce('viewer');
    const { exitCode, stderr } = await agent.asController(`${JITTER} 1s --host BOX`);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('`verify-latency` is for operators')]);
  });
});

describe('the other parts of verify', { timeout: TIME_LIMIT_MS }, () => {
  test('ptp: what is seen there, for a viewer', async ({ agent }) => {
    await agent.introduce('viewer');
    const there = await agent.asController('hft verify ptp --duration 1s --host BOX --json');
    const here = await agent.onHost('hft verify ptp --duration 1s --json');
    const ids = ({ stdout }: Run) => JSON.parse(stdout).results.map(({ id }: { id: string }) => id);
    expect([ids(there), there.exitCode]).toEqual([ids(here), here.exitCode]);
    const refused = await agent.asController('hft verify ptp --socket /run/ptp4l --domain 0 --host BOX');
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--socket does not go with')]);
  });

  test('processes: of what was launched there, for a viewer', async ({ agent }) => {
    await agent.introduce('operator');
    const none = await agent.asController('hft verify processes --duration 1s --host BOX');
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringMatching(/: Nothing was launched here/)]);
    const file = join(agent.host.HOME as string, 'mine.yaml');
    writeFileSync(
      file,
      `processes:\n  md:\n    command: [${REFERENCE}, --thread, "md-rx:block"]\n    threads: { "*": ${FIRST} }\n`,
    );
    try {
      expect((await agent.onHost(`hft launch ${file} --gate none --wait`)).exitCode).toBe(0);
      const { stdout } = await agent.asController('hft verify processes --duration 1s --host BOX --json');
      expect(JSON.parse(stdout)).toMatchObject({ profile: 'mine', summary: { pass: expect.any(Number) } });
    } finally {
      await agent.onHost('hft stop');
    }
    const long = await agent.asController('hft verify processes --duration 1h --host BOX');
    expect([long.exitCode, long.stderr]).toEqual([2, expect.stringContaining('an agent looks for 600 s at most')]);
  });

  test('dpdk: packets go only where the profile in force there says', async ({ agent }) => {
    await agent.introduce('operator');
    const { stdout, exitCode } = await agent.asController('hft verify dpdk --host BOX --json');
    const here = await agent.onHost('hft verify dpdk --json');
    expect([JSON.parse(stdout).results[0].id, exitCode]).toEqual([
      JSON.parse(here.stdout).results[0].id,
      here.exitCode,
    ]);
    const refused = await agent.asController('hft verify dpdk --port 0000:3b:00.0 --host BOX');
    expect([refused.exitCode, refused.stderr]).toEqual([
      3,
      expect.stringContaining('does not give it to DPDK (it gives nothing)'),
    ]);
  });
});

describe('--peer agent://', { timeout: TIME_LIMIT_MS }, () => {
  const NETWORK = `hft verify latency --probe network --cpus ${FIRST}`;
  const listens = (port: string) => {
    const hex = Number(port).toString(16).toUpperCase().padStart(4, '0');
    return [...readProc('/proc/net/tcp').matchAll(/^\s*\d+: [0-9A-F]{8}:([0-9A-F]{4}) \S+ 0A/gm)].some(
      (each) => each[1] === hex,
    );
  };

  test('the agent answers while it is measured, and before and after that nothing listens', async ({ agent }) => {
    await agent.introduce('operator');
    const port = agent.host.HFT_AGENT_RESPONDER_PORT as string;
    expect(listens(port)).toBe(false);
    const { stdout, exitCode } = await agent.asController(`${NETWORK} --peer agent://BOX --duration 1s --json`);
    const { probes } = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(probes.find((row: { part: string }) => row.part === 'udp').peer).toMatchObject({
      address: `127.0.0.1:${port}`,
      wait: 'block',
    });
    expect([listens(port), probesOf(agent.pid, 'serve')]).toEqual([false, []]);
  });

  test('killed, the controller takes the responder with it; killed, the agent does too', async ({ agent }) => {
    await agent.introduce('operator');
    const port = agent.host.HFT_AGENT_RESPONDER_PORT as string;
    const first = begin(agent, `${NETWORK} --peer agent://BOX --duration 10m`);
    await probeOf(agent.pid, 'serve');
    first.child.kill('SIGKILL');
    await until(() => !listens(port) && probesOf(agent.pid, 'serve').length === 0);
    const second = begin(agent, `${NETWORK} --peer agent://BOX --duration 10m --json`);
    const responder = await probeOf(agent.pid, 'serve');
    await until(() => listens(port));
    await agent.end('SIGKILL');
    await until(() => !isAlive(responder) && !listens(port));
    second.child.kill('SIGINT');
    expect((await second.ended).exitCode).not.toBe(0);
  });

  test('killed, the responder is told as a peer that has gone', async ({ agent }) => {
    await agent.introduce('operator');
    const { child, ended } = begin(agent, `${NETWORK} --peer agent://BOX --duration 10m --json`);
    const responder = await probeOf(agent.pid, 'serve');
    await probeOf(child.pid as number, 'network');
    process.kill(responder, 'SIGKILL');
    await until(() => probesOf(agent.pid, 'serve').some((pid) => pid !== responder));
    process.kill(await probeOf(agent.pid, 'serve'), 'SIGKILL');
    const { stdout, exitCode } = await ended;
    expect([exitCode, JSON.parse(stdout).notMeasured.length + JSON.parse(stdout).findings.length]).not.toEqual([0, 0]);
  });

  test('a viewer, an unknown host and another port are told before anything is measured', async ({ agent }) => {
    await agent.introduce('viewer');
    const refusals: [string, number, RegExp][] = [
      ['agent://BOX', 3, /this controller is a viewer there: `respond` is for operators/],
      ['agent://box7', 2, /box7: its key is not known here/],
      ['agent://', 2, /--peer agent:\/\/: expected HOST or HOST:PORT/],
    ];
    for (const [peer, code, why] of refusals) {
      const { stdout, stderr, exitCode } = await agent.asController(`${NETWORK} --peer ${peer} --duration 1s`);
      expect([stdout, exitCode, stderr]).toEqual(['', code, expect.stringMatching(why)]);
    }
  });
});
