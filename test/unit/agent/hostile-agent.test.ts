import { afterEach, describe, expect, test } from 'vitest';
import { Context, Reply, Router } from 'zeromq';
import { AgentConnection, type ConnectionSite } from '../../../src/agent/client/connection.ts';
import { controlRemotely } from '../../../src/agent/client/remote-host.ts';
import { makeKeyPair, toZ85 } from '../../../src/agent/keys/key-text.ts';
import { LIMITS } from '../../../src/agent/protocol/limits.ts';
import { HftError } from '../../../src/errors.ts';
import { viewStatus } from '../../../src/views/status.ts';
import { WANTED } from '../../faults/rig.ts';

type Send = (...frames: (string | Buffer)[]) => Promise<void>;
type Answers = (id: string, send: Send, ask: string) => Promise<void>;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** Something that has the right key, and answers what it likes. */
async function connectTo(answers: Answers, more: Partial<ConnectionSite> = {}): Promise<AgentConnection> {
  const [agent, controller] = [makeKeyPair(), makeKeyPair()];
  const context = new Context();
  const zap = new Reply({ context, linger: 0 });
  await zap.bind('inproc://zeromq.zap.01');
  void (async () => {
    for await (const [version, request] of zap) await zap.send([version ?? '', request ?? '', '200', 'OK', '', '']);
  })();
  const { publicKey, secretKey } = agent;
  const curve = { curveServer: true, curveSecretKey: toZ85(secretKey), curvePublicKey: toZ85(publicKey) };
  const router = new Router({ context, ...curve, zapDomain: 'x', linger: 0, sendHighWaterMark: 0 });
  await router.bind('tcp://127.0.0.1:0');
  void serve(router, answers);
  const port = Number(router.lastEndpoint?.split(':').at(-1));
  const connection = await AgentConnection.open({
    address: { host: '127.0.0.1', port },
    keys: controller,
    pinned: [publicKey],
    knownFile: 'known_agents',
    // A slow machine is no silence; what is to be silent says so.
    silentMs: 60_000,
    reconnectWithinMs: 1_000,
    ...more,
  });
  open.push(connection, router, zap);
  return connection;
}

async function serve(router: Router, answers: Answers): Promise<void> {
  for await (const [peer, , body] of router) {
    const { id, ask } = JSON.parse(body?.toString() ?? '{}');
    await answers(id, (...frames) => router.send([peer ?? '', ...frames]), ask).catch(() => {});
  }
}

const result = (id: string, what: unknown) => JSON.stringify({ hft: 1, id, is: 'result', result: what });
const STATUS = {
  host: 'box7',
  changes: [],
  drift: [],
  pendingReboot: [],
  cutOff: [],
  notUndone: [],
};

/** What the controller makes of an answer: an error that a person can act on, and never a bug. */
async function errorOf(answers: Answers, more: Partial<ConnectionSite> = {}): Promise<HftError> {
  const connection = await connectTo(answers, more);
  const error = await connection.ask<'status'>({ ask: 'status' }).catch((thrown: unknown) => thrown);
  if (!(error instanceof HftError)) throw new Error(`expected an HftError, got ${String(error)}`);
  expect(error.message).toContain('127.0.0.1');
  return error;
}

describe('an agent that is not what it should be', () => {
  test.each<[string, Answers, RegExp]>([
    ['answers noise', (_, send) => send(Buffer.from([0xff, 0, 1])), /something that is no answer/],
    ['answers nothing at all', (_, send) => send(''), /something that is no answer/],
    ['answers in too many frames', (id, send) => send(result(id, STATUS), 'x'), /something that is no answer/],
    ['nests without an end', (_, send) => send('['.repeat(1e6)), /something that is no answer/],
    ['answers of another kind', (id, send) => send(JSON.stringify({ hft: 1, id, is: 'gift' })), /is no answer/],
    [
      'leaves out what is needed',
      (id, send) => send(result(id, { host: 'box7' })),
      /is not what it should be \(changes\)/,
    ],
    [
      'has other types',
      (id, send) => send(result(id, { ...STATUS, drift: 'none' })),
      /not what it should be \(drift\)/,
    ],
    ['answers null', (id, send) => send(result(id, null)), /not what it should be/],
    [
      'is of another version',
      (id, send) => send(JSON.stringify({ hft: 9, id })),
      /version 9 of the protocol, this hft 1/,
    ],
    ['refuses with an exit code of its own', (id, send) => send(errorBody(id, 0)), /is no answer/],
    ['says it is a bug', (id, send) => send(errorBody(id, 70)), /nonsense/],
  ])('%s', async (_, answers, message) => {
    expect((await errorOf(answers)).message).toMatch(message);
  });

  test('says nothing: it is not waited for without an end', async () => {
    const error = await errorOf(async () => {}, { silentMs: 500 });
    expect([error.message, error.exitCode]).toEqual([expect.stringContaining('said nothing for 0.5 s'), 3]);
  });

  test('answers more than any answer has: none of it is taken', async () => {
    const answers: Answers = (id, send) => send(result(id, { ...STATUS, host: 'x'.repeat(LIMITS.answerBytes) }));
    const error = await errorOf(answers, { silentMs: 500 });
    expect(error.message).toMatch(/the connection was lost|said nothing/);
  });

  test('says for ever that it is at work: its words are counted', async () => {
    const big = (id: string) =>
      JSON.stringify({ hft: 1, id, is: 'progress', done: 1, of: 2, what: 'x'.repeat(1 << 20) });
    const error = await errorOf(async (id, send) => {
      for (let sent = 0; sent < 64; sent++) await send(big(id));
    });
    expect(error.message).toContain('sends without an end');
  });

  test('answers what was not asked: it is passed over', async () => {
    const other = '7c9f4b1e-0c1a-4d5e-9b43-0f9f0a6c1d11';
    const connection = await connectTo(async (id, send) => {
      await send(result(other, { ...STATUS, host: 'other' }));
      await send(result(id, STATUS));
    });
    expect((await connection.ask<'status'>({ ask: 'status' })).host).toBe('box7');
  });

  test('sends what a terminal obeys: it is shown as text', async () => {
    const host = 'box7\u001b]0;owned\u0007\u001b[2J\u202e';
    const connection = await connectTo((id, send) => send(result(id, { ...STATUS, host, cutOff: ['\u001b[31mrun'] })));
    const status = await controlRemotely(connection).status();
    expect(viewStatus(status, { columns: 80, color: false })).not.toMatch(/[\u0000-\u0009\u001b\u202e]/);
    const refusing = await errorOf((id, send) => send(errorBody(id, 3, '\u001b[2Jgone')));
    expect([refusing.message, ...refusing.next].join()).not.toContain('\u001b');
  });

  test('asks for an approval with a plan that is none: the answer is no, and nobody is bothered', async () => {
    const heard: string[] = [];
    const plan = { plan: '7c9f4b1e-0c1a-4d5e-9b43-0f9f0a6c1d11', shown: PLAN, session: [] };
    let applying = '';
    const connection = await connectTo(async (id, send, ask) => {
      heard.push(ask);
      if (ask === 'plan') await send(result(id, plan));
      if (ask === 'answer') await send(result(applying, { run: 'x' }));
      if (ask !== 'apply') return;
      applying = id;
      await send(JSON.stringify({ hft: 1, id, is: 'question', plan: { changes: 'all' } }));
    });
    const proposal = await controlRemotely(connection).propose(WANTED, {});
    const approve = () => Promise.reject(new Error('must not be asked'));
    await expect(proposal.apply({ confirmWithinS: 60, approve })).rejects.toThrow(/the second plan is none/);
    expect(heard).toEqual(['plan', 'apply', 'answer']);
  });
});

const PLAN = {
  profile: 'test',
  host: 'box7',
  layout: { housekeeping: '0', irq: '', isolated: '1' },
  changes: [],
  satisfied: [],
  refused: [],
  unread: [],
  kept: [],
  reboot: false,
};

function errorBody(id: string, exitCode: number, message = 'nonsense'): string {
  return JSON.stringify({ hft: 1, id, is: 'error', error: { kind: 'expected', message, next: [message], exitCode } });
}
