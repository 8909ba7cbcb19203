import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentConnection } from '../../../src/agent/client/connection.ts';
import { controlRemotely } from '../../../src/agent/client/remote-host.ts';
import { withController } from '../../../src/agent/keys/authorized.ts';
import { makeKeyFile } from '../../../src/agent/keys/key-files.ts';
import { type KeyPair, makeKeyPair } from '../../../src/agent/keys/key-text.ts';
import { LocalHost } from '../../../src/host/local.ts';
import { WANTED } from '../../faults/rig.ts';
import { freePort } from '../../free-port.ts';
import { temporaryFolder } from './agent-rig.ts';

const TIME_LIMIT_MS = 120_000;
const KNOBS = 10;
const CONTROLLER = makeKeyPair();

/** An agent in a process of its own. */
class AgentProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #said: string[] = [];
  readonly #ended: Promise<unknown>;

  constructor(folder: string, port: number, stopsAt?: string) {
    const script = join(import.meta.dirname, 'children/agent.ts');
    const key = { role: 'operator', key: CONTROLLER.publicKey, name: 'test' } as const;
    this.#child = spawn(process.execPath, [script, folder, String(port), ...(stopsAt ? [stopsAt] : [])], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, AUTHORIZED: withController('', key) },
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.#lines.on('line', (line) => this.#said.push(line));
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  async line(): Promise<string> {
    while (this.#said.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    return this.#said.shift() as string;
  }

  async signal(name: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child.kill(name);
    await this.#ended;
  }
}

let folder: string;
let agent: KeyPair;
const started: AgentProcess[] = [];
const open: AgentConnection[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  agent = await makeKeyFile(new LocalHost(), join(folder, 'agent.key'), 'agent');
  for (let knob = 0; knob < KNOBS; knob++) writeFileSync(join(folder, `knob-${knob}`), '0\n');
});
afterEach(async () => {
  for (const connection of open.splice(0)) connection.close();
  for (const each of started.splice(0)) await each.signal('SIGKILL');
});

async function start(port: number, stopsAt?: string): Promise<{ process: AgentProcess; port: number }> {
  const process = new AgentProcess(folder, port, stopsAt);
  started.push(process);
  return { process, port: Number(await process.line()) };
}

async function connect(port: number): Promise<AgentConnection> {
  const connection = await AgentConnection.open({
    address: { host: '127.0.0.1', port },
    keys: CONTROLLER,
    pinned: [agent.publicKey],
    knownFile: 'known_agents',
    reconnectWithinMs: 500,
  });
  open.push(connection);
  return connection;
}

const knobs = () =>
  Array.from({ length: KNOBS }, (_, knob) => readFileSync(join(folder, `knob-${knob}`), 'utf8').trim());
const OLD = Array.from({ length: KNOBS }, () => '0');
const NEW = Array.from({ length: KNOBS }, () => '1');
const APPROVAL = { confirmWithinS: 60, approve: async () => true };

describe('an agent that is killed in the middle of a tune', { timeout: TIME_LIMIT_MS }, () => {
  test.each(['knob-0', 'knob-4', 'knob-9'])('after %s: the next one knows, and undoes it', async (stopsAt) => {
    const { process, port } = await start(await freePort(), stopsAt);
    const control = controlRemotely(await connect(port));
    const tuning = (await control.propose(WANTED, {})).apply(APPROVAL).catch((error: unknown) => error);
    expect(await process.line()).toBe('stopped');
    await process.signal('SIGKILL');
    expect(await tuning).toMatchObject({ exitCode: 4, message: expect.stringContaining('the connection was lost') });
    expect(knobs()).not.toEqual(OLD);
    await start(port);
    const again = controlRemotely(await connect(port));
    const { cutOff, profile } = await again.status();
    expect([cutOff.length, profile]).toEqual([1, undefined]);
    await expect((await again.propose(WANTED, {})).apply(APPROVAL)).rejects.toThrow(
      /was cut off and is not undone yet/,
    );
    expect((await again.recover()).complete).toBe(true);
    expect(knobs()).toEqual(OLD);
    expect((await (await again.propose(WANTED, {})).apply(APPROVAL)).result).toBe('applied');
    expect(knobs()).toEqual(NEW);
  });

  test('says of the request that it was cut off, and does not begin it anew', async () => {
    const { process, port } = await start(await freePort(), 'knob-4');
    const connection = await connect(port);
    const profile = { name: 'test', keys: { memory: {} }, persist: false };
    const { plan } = await connection.ask<'plan'>({ ask: 'plan', profile, retries: false });
    const id = randomUUID();
    const apply = { ask: 'apply', plan, confirmWithinS: 60 } as const;
    const tuning = connection.ask<'apply'>(apply, { id }).catch(() => 'lost');
    expect(await process.line()).toBe('stopped');
    await process.signal('SIGKILL');
    await tuning;
    const left = knobs();
    await start(port);
    const again = await connect(port);
    await expect(again.ask<'apply'>(apply, { id })).rejects.toThrow(/was ended in the middle of this request/);
    expect(knobs()).toEqual(left);
  });
});

test('an agent that is told to end goes at once when it has nothing to do', { timeout: TIME_LIMIT_MS }, async () => {
  const { process, port } = await start(await freePort());
  const control = controlRemotely(await connect(port));
  expect((await (await control.propose(WANTED, {})).apply(APPROVAL)).result).toBe('applied');
  await process.signal('SIGTERM');
  expect(knobs()).toEqual(NEW);
});

test('a controller that is killed in the middle: the agent goes on to the end', {
  timeout: TIME_LIMIT_MS,
}, async () => {
  const { port } = await start(await freePort());
  const connection = await connect(port);
  const tuning = (await controlRemotely(connection).propose(WANTED, {})).apply(APPROVAL).catch(() => 'lost');
  // What the kernel does to the sockets of a process that was killed.
  connection.close();
  await tuning;
  const control = controlRemotely(await connect(port));
  // Sent or not when the socket went: all of it is done at last, or none. A run that is at work has no end yet.
  let status = await control.status();
  while (status.cutOff.length > 0) status = await control.status();
  expect(knobs()).toEqual(status.profile === undefined ? OLD : NEW);
});
