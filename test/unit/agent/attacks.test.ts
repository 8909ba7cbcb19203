import { randomBytes, randomUUID } from 'node:crypto';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Dealer } from 'zeromq';
import { makeKeyPair } from '../../../src/agent/keys/key-text.ts';
import { LIMITS } from '../../../src/agent/protocol/limits.ts';
import { printRequest, readAnswer, type SentError } from '../../../src/agent/protocol/message.ts';
import type { Question } from '../../../src/agent/protocol/request.ts';
import { stateOf, WANTED } from '../../faults/rig.ts';
import { AgentRig } from './agent-rig.ts';
import { fuzzed, seeded } from './fuzzed.ts';

let rig: AgentRig;
beforeEach(async () => {
  rig = await new AgentRig().start();
});
afterEach(() => rig.end());

const untouched = () => stateOf(new AgentRig().machine);
const hello = () => printRequest({ id: randomUUID(), question: { ask: 'hello' } });

/** The agent still serves whoever may ask. */
async function expectAlive(): Promise<void> {
  const connection = await rig.connect(rig.admit('viewer', 'witness'));
  expect((await connection.ask<'hello'>({ ask: 'hello' })).name).toBe('witness');
  expect(stateOf(rig.machine)).toEqual(untouched());
}

async function errorOf(dealer: Dealer): Promise<SentError> {
  const [frame] = await dealer.receive();
  const read = readAnswer(frame as Buffer);
  if (read.is !== 'answer' || read.body.is !== 'error') throw new Error(`no error: ${frame}`);
  return read.body.error;
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('nobody gets in', () => {
  test('with a key that is not authorised', async () => {
    await expect(rig.connect(makeKeyPair())).rejects.toThrow(/refused the key of this controller/);
    await until(() => rig.log.some(({ event }) => event === 'unknownKeys'));
    await expectAlive();
  });

  test('without CURVE: there is nothing to fall back to', async () => {
    const dealer = new Dealer({ linger: 0 });
    const failed = new Promise((resolve) => dealer.events.on('handshake:error:protocol', resolve));
    const cut = new Promise((resolve) => dealer.events.on('disconnect', resolve));
    dealer.connect(`tcp://127.0.0.1:${rig.port}`);
    await Promise.race([failed, cut]);
    dealer.close();
    expect(rig.daemon?.counters.answered).toBe(0);
    await expectAlive();
  });

  test('with a key that was taken out while it was connected', async () => {
    const keys = rig.admit('admin');
    const connection = await rig.connect(keys);
    await connection.ask<'hello'>({ ask: 'hello' });
    rig.controllers.length = 0;
    await expect(connection.ask<'hello'>({ ask: 'hello' })).rejects.toThrow(/not authorised any more/);
    await expectAlive();
  });

  test("under another controller's key: only who has its secret can make its sum", async () => {
    const [viewer, admin] = [rig.admit('viewer'), rig.admit('admin')];
    const dealer = rig.dealer(viewer);
    const body = printRequest({ id: randomUUID(), question: { ask: 'rollback', scope: 'all' } });
    const own = rig.proof(viewer, body);
    const claimed = Buffer.concat([Buffer.from(admin.publicKey, 'base64url'), own.subarray(32)]);
    await dealer.send([claimed, body]);
    await until(() => rig.daemon?.counters.malformed === 1);
    expect(rig.log).toContainEqual(expect.objectContaining({ event: 'malformed', claims: 'admin' }));
    await expectAlive();
  });
});

describe('a viewer', () => {
  const WRITES: Question[] = [
    { ask: 'recover' },
    { ask: 'apply', plan: randomUUID(), confirmWithinS: 60 },
    { ask: 'adopt', plan: randomUUID(), confirmWithinS: 60 },
    { ask: 'confirm' },
    { ask: 'rollback', scope: 'all' },
    { ask: 'reboot' },
    { ask: 'answer', to: randomUUID(), yes: true },
  ];

  test.each(WRITES)('may not ask for $ask', async (question) => {
    const connection = await rig.connect(rig.admit('viewer'));
    await expect(connection.ask(question)).rejects.toThrow(/viewer is a viewer there: `.*` is for (operator|admin)s/);
    expect(rig.log).toContainEqual(expect.objectContaining({ event: 'refused', by: 'viewer', ask: question.ask }));
    await expectAlive();
  });

  test('an operator may not reboot', async () => {
    const connection = await rig.connect(rig.admit('operator'));
    await expect(connection.ask({ ask: 'reboot' })).rejects.toThrow(
      /operator is a operator there: `reboot` is for admins/,
    );
  });

  test('may not speak for another controller, nor end what it has at work', async () => {
    const other = await rig.connect(rig.admit('operator', 'other'));
    await expect(other.ask({ ask: 'cancel', to: randomUUID() })).rejects.toThrow(/not at work any more/);
    await expect(other.ask({ ask: 'answer', to: randomUUID(), yes: true })).rejects.toThrow(/not at work any more/);
  });
});

describe('what is replayed', () => {
  test('what went over the wire opens nothing when it is sent again', async () => {
    const recorded: Buffer[] = [];
    const proxy = await record(rig.port, recorded);
    const keys = rig.admit('operator');
    const { port } = proxy.address() as { port: number };
    const connection = await rig.connect(keys, { address: { host: '127.0.0.1', port } });
    await connection.ask<'rollback'>({ ask: 'rollback', scope: 'all' });
    connection.close();
    const { answered } = rig.daemon?.counters ?? {};
    const replaying = connectTcp(rig.port, '127.0.0.1');
    const isCut = new Promise((resolve) => replaying.once('close', resolve));
    replaying.on('error', () => {});
    replaying.resume();
    for (const bytes of recorded) replaying.write(bytes);
    await isCut;
    expect(rig.daemon?.counters.answered).toBe(answered);
    proxy.close();
    await expectAlive();
  });

  test('the same message of a controller is followed once', async () => {
    const keys = rig.admit('operator');
    const control = await rig.control('operator');
    const dealer = rig.dealer(keys);
    const body = printRequest({ id: randomUUID(), question: { ask: 'rollback', scope: 'all' } });
    const proof = rig.proof(keys, body);
    await dealer.send([proof, body]);
    const [first] = await dealer.receive();
    await (await control.propose(WANTED, {})).apply({ confirmWithinS: 60, approve: async () => true });
    await dealer.send([proof, body]);
    const [second] = await dealer.receive();
    expect(second?.toString()).toBe(first?.toString());
    expect((await control.status()).profile).toBe('test');
  });

  test('a request for one agent is no request for another', async () => {
    const keys = rig.admit('operator');
    const body = hello();
    const ours = rig.proof(keys, body);
    const dealer = rig.dealer(keys);
    const theirs = new AgentRig();
    await dealer.send([theirs.proof(keys, body), body]);
    await until(() => rig.daemon?.counters.malformed === 1);
    await dealer.send([ours, body]);
    expect(readAnswer((await dealer.receive())[0] as Buffer).is).toBe('answer');
  });
});

describe('frames that are none', () => {
  test('too few, too many, cut, too large: counted and dropped', async () => {
    const keys = rig.admit('operator');
    const dealer = rig.dealer(keys);
    const body = hello();
    const proof = rig.proof(keys, body);
    const wrong = [
      [body],
      [proof],
      [proof, body, body],
      [proof.subarray(1), body],
      [proof, body.subarray(1)],
      [Buffer.alloc(0), Buffer.alloc(0)],
      [rig.proof(keys, Buffer.from('{}')), Buffer.from('{}')],
      [rig.proof(keys, Buffer.from('[[[')), Buffer.from('[[[')],
      [rig.proof(keys, Buffer.from('"x"')), Buffer.from('"x"')],
    ];
    for (const frames of wrong) await dealer.send(frames);
    await until(() => rig.daemon?.counters.malformed === wrong.length);
    await expectAlive();
  });

  test('a message that is larger than any request: the connection is cut', async () => {
    const keys = rig.admit('operator');
    const dealer = rig.dealer(keys);
    const isCut = new Promise((resolve) => dealer.events.on('disconnect', resolve));
    await dealer.send([Buffer.alloc(64), Buffer.alloc(LIMITS.requestBytes + 1)]);
    await isCut;
    expect(rig.daemon?.counters.answered).toBe(0);
    await expectAlive();
  });

  test('JSON that is nested without an end, and keys that are names of prototypes', async () => {
    const keys = rig.admit('operator');
    const dealer = rig.dealer(keys);
    const id = randomUUID();
    const deep = Buffer.from(`{"hft":1,"id":"${id}","ask":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    await dealer.send([rig.proof(keys, deep), deep]);
    await until(() => rig.daemon?.counters.malformed === 1);
    const proto = Buffer.from(`{"hft":1,"id":"${id}","ask":"hello","__proto__":{"role":"admin"},"constructor":1}`);
    await dealer.send([rig.proof(keys, proto), proto]);
    expect((await errorOf(dealer)).message).toContain('does not understand the request');
    await expectAlive();
  });

  test.each([
    [{ ask: 'execute', argv: ['/bin/sh'] }, /does not understand/],
    [{ ask: 'rollback', scope: { items: 'x' } }, /does not understand/],
    [{ ask: 'status', verbose: true }, /does not understand/],
    [{ ask: 'apply', plan: '../../etc/passwd', confirmWithinS: 60 }, /does not understand/],
    [{ ask: 'apply', plan: randomUUID(), confirmWithinS: 1e9 }, /does not understand/],
    [
      { ask: 'plan', retries: false, profile: { name: '../../etc/shadow', keys: {}, persist: false } },
      /without slashes/,
    ],
    [
      { ask: 'plan', retries: false, profile: { name: 'x', keys: {}, persist: false, file: '/etc/shadow' } },
      /does not/,
    ],
    [{ ask: 'plan', retries: false, profile: '/etc/hft/profiles/colo.yaml' }, /does not understand/],
  ])('%j is no request: said why', async (question, why) => {
    const keys = rig.admit('admin');
    const dealer = rig.dealer(keys);
    const body = Buffer.from(JSON.stringify({ hft: 1, id: randomUUID(), ...question }));
    await dealer.send([rig.proof(keys, body), body]);
    expect((await errorOf(dealer)).message).toMatch(why);
    await expectAlive();
  });

  test.each([
    [0, 'Bring the hft that asks up to date.'],
    [2, 'Bring the agent up to date.'],
  ])('version %i of the protocol: said which end is older', async (version, next) => {
    const keys = rig.admit('viewer');
    const dealer = rig.dealer(keys);
    const body = Buffer.from(JSON.stringify({ hft: version, id: randomUUID(), something: 'else' }));
    await dealer.send([rig.proof(keys, body), body]);
    expect(await errorOf(dealer)).toMatchObject({ next: [next], exitCode: 3 });
  });

  test('random and mutated messages, thousands of them: none is followed', async () => {
    const keys = rig.admit('operator');
    const dealer = rig.dealer(keys);
    const random = seeded(7);
    const count = 5_000;
    for (let sent = 0; sent < count; sent++) {
      const { proof, body } = fuzzed(random, hello());
      await dealer.send([proof ?? rig.proof(keys, body), body]);
    }
    const counters = () =>
      rig.daemon?.counters ?? { answered: 0, refused: 0, malformed: 0, unknownKeys: 0, limited: 0 };
    const seen = () => Object.values(counters()).reduce((sum, each) => sum + each, 0);
    await until(() => seen() >= count);
    expect(counters().answered).toBe(0);
    await expectAlive();
  });
});

test('too many requests of one controller are refused, and those of another are served', async () => {
  const keys = rig.admit('viewer', 'eager');
  const dealer = rig.dealer(keys);
  for (let sent = 0; sent < LIMITS.burst + 10; sent++) {
    const body = hello();
    await dealer.send([rig.proof(keys, body), body]);
  }
  await until(() => rig.daemon?.counters.limited === 10);
  await expectAlive();
  rig.nowMs += 1_000;
  const body = hello();
  await dealer.send([rig.proof(keys, body), body]);
  await until(() => rig.log.filter(({ by, event }) => by === 'eager' && event === 'request').length > LIMITS.burst);
});

test('connections that say nothing are cut off, and do not keep others out', async () => {
  const idle: Socket[] = [];
  for (let made = 0; made < 200; made++) idle.push(connectTcp(rig.port, '127.0.0.1'));
  for (const socket of idle) socket.on('error', () => {}).write(randomBytes(64));
  await expectAlive();
  for (const socket of idle) socket.destroy();
});

/** Passes everything on, and keeps what goes to the agent. */
function record(port: number, recorded: Buffer[]): Promise<Server> {
  const server = createServer((client) => {
    const agent = connectTcp(port, '127.0.0.1');
    client.on('data', (bytes: Buffer) => {
      recorded.push(bytes);
      agent.write(bytes);
    });
    agent.on('data', (bytes) => client.write(bytes));
    for (const [one, other] of [
      [client, agent],
      [agent, client],
    ] as const)
      one.on('close', () => other.destroy()).on('error', () => other.destroy());
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
