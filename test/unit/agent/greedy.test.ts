import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Dealer } from 'zeromq';
import { PlanStore, type ShownPlan } from '../../../src/agent/daemon/plan-store.ts';
import { type KeyPair, toZ85 } from '../../../src/agent/keys/key-text.ts';
import { LIMITS } from '../../../src/agent/protocol/limits.ts';
import { type AnswerBody, printRequest, readAnswer } from '../../../src/agent/protocol/message.ts';
import type { Question } from '../../../src/agent/protocol/request.ts';
import { AgentRig } from './agent-rig.ts';

/** Controllers that are let in, and take all that they can get. */
const BUSY_MS = 120_000;
const MIB = 2 ** 20;

let rig: AgentRig;
beforeEach(async () => {
  rig = await new AgentRig().start();
});
afterEach(() => rig.end());

async function until(holds: () => boolean | undefined): Promise<void> {
  while (holds() !== true) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Others are served as if nothing were. */
async function expectAlive(): Promise<void> {
  const other = await rig.connect(rig.admit('viewer', `other ${randomUUID()}`));
  expect(await other.ask<'hello'>({ ask: 'hello' })).toMatchObject({ host: 'fake' });
  other.close();
}

async function ask(dealer: Dealer, keys: KeyPair, question: Question): Promise<string> {
  const id = randomUUID();
  const body = printRequest({ id, question });
  await dealer.send([rig.proof(keys, body), body]);
  return id;
}

async function nextAnswer(dealer: Dealer): Promise<AnswerBody> {
  const read = readAnswer((await dealer.receive())[0] as Buffer);
  if (read.is !== 'answer') throw new Error(read.is);
  return read.body;
}

/** An agent whose status takes until it is told to go on. */
function hold(): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { status } = rig.agent;
  rig.agent = { ...rig.agent, status: () => held.then(status) };
  return release;
}

describe('memory', { timeout: BUSY_MS }, () => {
  test.each([
    ['large', LIMITS.requestBytes / 2, 1_000],
    ['small', 100, 400_000],
    ['empty', 0, 400_000],
  ])('a message of very many %s parts is not kept: its connection is cut', async (_, size, parts) => {
    const keys = rig.admit('viewer', 'greedy');
    const dealer = rig.dealer(keys);
    const beforeBytes = process.memoryUsage.rss();
    const part = Buffer.alloc(size);
    const isCut = new Promise((resolve) => dealer.events.on('disconnect', resolve));
    const sent = dealer.send(Array.from({ length: parts }, () => part)).catch(() => {});
    await isCut;
    await until(() =>
      rig.log.some(({ event, why, by }) => event === 'limited' && why === 'flooded' && by === 'greedy'),
    );
    dealer.close();
    await sent;
    await expectAlive();
    // The sender is in this process: what it holds of large parts is one buffer, of small ones the frames.
    if (size > 100) expect(process.memoryUsage.rss() - beforeBytes).toBeLessThan(100 * MIB);
  });

  test('what is asked for and never read is not kept: the connection is cut', async () => {
    const keys = rig.admit('viewer', 'greedy');
    const blob = 'x'.repeat(4 * MIB);
    rig.agent = { ...rig.agent, status: async () => ({ blob }) as never };
    const dealer = new Dealer({
      curvePublicKey: toZ85(keys.publicKey),
      curveSecretKey: toZ85(keys.secretKey),
      curveServerKey: toZ85(rig.keys.publicKey),
      receiveHighWaterMark: 1,
      linger: 0,
    });
    dealer.connect(`tcp://127.0.0.1:${rig.port}`);
    for (let asked = 0; asked < LIMITS.ofOne; asked++) await ask(dealer, keys, { ask: 'status' });
    await until(() => rig.log.some(({ event, why }) => event === 'limited' && why === 'slow'));
    dealer.close();
    await expectAlive();
  });

  test('connections of one controller push out its own, and nobody else', async () => {
    const other = await rig.connect(rig.admit('viewer', 'other'));
    const keys = rig.admit('viewer', 'greedy');
    const first = rig.dealer(keys);
    const isCut = new Promise((resolve) => first.events.on('disconnect', resolve));
    await ask(first, keys, { ask: 'hello' });
    await nextAnswer(first);
    for (let more = 0; more < LIMITS.connectionsOfOne; more++) {
      const dealer = rig.dealer(keys);
      await ask(dealer, keys, { ask: 'hello' });
      await nextAnswer(dealer);
    }
    await isCut;
    expect(await other.ask<'hello'>({ ask: 'hello' })).toMatchObject({ host: 'fake' });
  });
});

describe('time', { timeout: BUSY_MS }, () => {
  test('whoever waits for a turn hears that the agent lives', async () => {
    const release = hold();
    const keys = rig.admit('viewer', 'busy');
    const busy = rig.dealer(keys);
    for (let asked = 0; asked < LIMITS.atWork; asked++) await ask(busy, keys, { ask: 'status' });
    const waiting = rig.admit('operator', 'waiting');
    const dealer = rig.dealer(waiting);
    await ask(dealer, waiting, { ask: 'status' });
    expect(await nextAnswer(dealer)).toEqual({ is: 'beat' });
    release();
  });

  test('one controller cannot take all the places in the queue', async () => {
    const release = hold();
    const keys = rig.admit('viewer', 'greedy');
    const greedy = rig.dealer(keys);
    for (let asked = 0; asked < LIMITS.ofOne + 3; asked++) await ask(greedy, keys, { ask: 'status' });
    await until(() => rig.daemon?.counters.refused === 3);
    const control = await rig.control('operator');
    const status = control.status();
    release();
    expect(await status).toMatchObject({ host: 'fake' });
  });
});

test('plans of one controller do not push out those of another', () => {
  const plans = new PlanStore();
  const shown = {} as ShownPlan;
  const id = plans.keep('operator', shown, 0);
  const own = Array.from({ length: 50 }, (_, at) => plans.keep('viewer', shown, at));
  expect(plans.find('operator', id, 100)).toMatchObject(shown);
  expect(() => plans.find('viewer', own[0] as string, 100)).toThrow('too old');
  expect(plans.find('viewer', own.at(-1) as string, 100)).toMatchObject(shown);
});

test('a key in the file that is no point of the curve lets nobody in, and ends nothing', async () => {
  const nobody = Buffer.alloc(32).toString('base64url');
  rig.controllers.push({ role: 'admin', name: 'nobody', key: nobody });
  const keys = rig.admit('viewer');
  const dealer = rig.dealer(keys);
  const body = printRequest({ id: randomUUID(), question: { ask: 'hello' } });
  await dealer.send([Buffer.concat([Buffer.alloc(32), Buffer.alloc(32)]), body]);
  await until(() => rig.daemon?.counters.malformed === 1);
  await expectAlive();
});
