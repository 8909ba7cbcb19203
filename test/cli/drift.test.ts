import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as anyTest, beforeAll, describe, expect } from 'vitest';
import { layoutWanted } from '../../src/layout/schema.ts';
import { AgentProcess } from './agent-process.ts';
import { FIRST, LAST, REFERENCE } from './launched.ts';
import { buildWhenStale } from './run-hft.ts';

const TIME_LIMIT_MS = 600_000;

const test = anyTest.extend<{ agent: AgentProcess }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest takes the names of what it needs from it
  agent: async ({}, use) => {
    const agent = new AgentProcess();
    await use(agent);
    await agent.end('SIGKILL');
  },
});

beforeAll(() => buildWhenStale(), TIME_LIMIT_MS);

const stateFile = (agent: AgentProcess, name: string) => join(agent.host.HFT_STATE_DIR as string, name);
const AUDIT = 'agent/audit/audit-000001.jsonl';

describe('the audit log', { timeout: TIME_LIMIT_MS }, () => {
  test('has what was asked and refused, for its owner alone, and is verified on the host', async ({ agent }) => {
    expect((await agent.onHost('hft agent audit verify')).exitCode).toBe(1);
    await agent.introduce('viewer');
    await agent.asController('hft rollback --all --host BOX');
    const told = await agent.asController('hft agent status --host BOX');
    const [head] = /[1-9]\d*:[0-9a-f]{64}/.exec(told.stdout) ?? [];
    expect(head).toBeDefined();
    await agent.end();
    expect(statSync(stateFile(agent, AUDIT)).mode & 0o777).toBe(0o600);
    expect(statSync(stateFile(agent, 'agent/audit-head.json')).mode & 0o777).toBe(0o600);
    const shown = await agent.onHost('hft agent audit show');
    expect(shown.stdout).toMatch(/start[^]*refused {2}alice \(viewer\) {2}recover[^]*stop/);
    const whole = await agent.onHost(`hft agent audit verify --head ${head} --json`);
    expect([whole.exitCode, JSON.parse(whole.stdout)]).toMatchObject([0, { broken: null, unended: [], files: 1 }]);
  });

  test('says where it is broken, and that lines were cut off', async ({ agent }) => {
    await agent.introduce('viewer');
    await agent.asController('hft confirm --host BOX');
    await agent.end();
    const file = stateFile(agent, AUDIT);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('"role":"viewer"', '"role":"admin"'));
    const edited = await agent.onHost('hft agent audit verify --json');
    expect(edited.exitCode).toBe(1);
    expect(JSON.parse(edited.stdout).broken).toMatchObject({ file: 'audit-000001.jsonl', line: expect.any(Number) });
    writeFileSync(file, `${text.split('\n').slice(0, -2).join('\n')}\n`);
    const cut = await agent.onHost('hft agent audit verify');
    expect([cut.exitCode, cut.stdout]).toEqual([1, expect.stringContaining('cut off')]);
    const wrong = await agent.onHost('hft agent audit verify --head 12:ab');
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('--head: expected LINE:HASH')]);
  });

  test('of an agent that was killed goes on with the next one, and has one writer', async ({ agent }) => {
    await agent.introduce('viewer');
    const second = await agent.onHost('hft agent run --listen 127.0.0.1:1');
    expect([second.exitCode, second.stderr]).toEqual([3, expect.stringContaining('held by process')]);
    await agent.end('SIGKILL');
    await agent.start();
    await agent.end();
    expect((await agent.onHost('hft agent audit verify')).exitCode).toBe(0);
  });
});

describe('drift on this machine', { timeout: TIME_LIMIT_MS }, () => {
  const LOOKS = { HFT_AGENT_LOOK_EVERY: '1s' };

  test('a thread that was moved is told, in the log, by hft status and in the audit log; and that it came back', async ({
    agent,
  }) => {
    const socket = join(agent.host.HOME as string, 'md.s');
    const command = `[${REFERENCE}, --socket, ${socket}, --thread, "md-rx:block"]`;
    mkdirSync(agent.hostFile('deployments'), { recursive: true });
    writeFileSync(
      agent.hostFile('deployments/mine.yaml'),
      `processes:\n  md:\n    command: ${command}\n    threads: { md-rx: ${FIRST}, "*": ${FIRST} }\n`,
    );
    await agent.introduce('operator');
    await agent.end();
    try {
      expect((await agent.onHost('hft launch mine --gate none --wait')).exitCode).toBe(0);
      await agent.start(LOOKS);
      await agent.untilLog('"event":"audited"');
      await agent.onHost(`${REFERENCE} ask ${socket} move md-rx ${LAST}`);
      await agent.untilLog('"event":"drift","setting":"processes.cpus@md/md-rx"');
      const status = await agent.asController('hft status --host BOX --json');
      expect(status.exitCode).toBe(1);
      expect(JSON.parse(status.stdout).watch.drifted).toMatchObject([
        { id: 'processes.cpus@md/md-rx', domain: 'processes', wanted: String(FIRST), remedy: { heal: 'no' } },
      ]);
      expect((await agent.onHost('hft status')).stdout).toMatch(/drifted {2}processes.cpus@md\/md-rx/);
      await agent.onHost(`${REFERENCE} ask ${socket} move md-rx ${FIRST}`);
      await agent.untilLog('"event":"drift-ended"');
      await agent.end();
      const shown = await agent.onHost('hft agent audit show');
      expect(shown.stdout).toMatch(/drift {2}processes.cpus[^]*drift-ended {2}processes.cpus/);
    } finally {
      await agent.onHost('hft stop');
    }
  });

  test('what is in force beside the machine as it is, without changing it', async ({ agent }) => {
    await agent.introduce('viewer');
    await agent.end();
    const swappiness = readFileSync('/proc/sys/vm/swappiness', 'utf8').trim();
    const wanted = {
      name: 'planted',
      layout: layoutWanted.parse({}),
      domains: { memory: { swappiness: Number(swappiness) + 1 } },
    };
    const begin = { type: 'begin', run: 'r', time: new Date().toISOString(), host: 'x', origin: 'user', wanted };
    mkdirSync(stateFile(agent, 'journal'), { recursive: true });
    for (const record of [
      { ...begin, version: '0' },
      { type: 'end', result: 'applied' },
    ])
      appendFileSync(stateFile(agent, 'journal/r.jsonl'), `${JSON.stringify(record)}\n`);
    await agent.start(LOOKS);
    await agent.untilLog('"event":"drift","setting":"memory.sysctl@vm.swappiness"');
    const status = await agent.onHost('hft status');
    expect(status.stdout).toMatch(/drifted {2}memory.sysctl@vm.swappiness/);
    expect(readFileSync('/proc/sys/vm/swappiness', 'utf8').trim()).toBe(swappiness);
  });

  test('looks no faster than once a second', async ({ agent }) => {
    const { exitCode, stderr } = await agent.onHost('hft agent run --look-every 0s');
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('--look-every: expected auto, or a time of at least 1s'),
    ]);
  });
});
