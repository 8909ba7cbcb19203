import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Dealer } from 'zeromq';
import { Bench } from '../../../src/agent/daemon/bench.ts';
import type { Work } from '../../../src/agent/daemon/work.ts';
import { LIMITS } from '../../../src/agent/protocol/limits.ts';
import { type AnswerBody, printRequest, readAnswer } from '../../../src/agent/protocol/message.ts';
import type { Question } from '../../../src/agent/protocol/request.ts';
import { AgentRig, NOTHING_VERIFIED } from './agent-rig.ts';

let rig: AgentRig;
let begun: Work[];
let end: (verification: unknown) => void;
const VERIFICATION = {
  profile: 'x',
  host: 'fake',
  results: [],
  summary: { pass: 1, fail: 0, 'pending-reboot': 0, unsupported: 0, unknown: 0 },
};

/** Watches until it is told what it saw, or until its signal: then it answers with what it saw until then. */
beforeEach(async () => {
  rig = new AgentRig();
  begun = [];
  rig.verifying = {
    ...NOTHING_VERIFIED,
    processes: (_, work) =>
      new Promise((resolve) => {
        begun.push(work);
        end = resolve;
        const cut = () => resolve({ ...VERIFICATION, profile: 'cut' });
        if (work.signal.aborted) cut();
        work.signal.addEventListener('abort', cut);
      }),
    respond: (_, work) =>
      new Promise((resolve) => {
        begun.push(work);
        work.listens(17_707);
        work.signal.addEventListener('abort', () => resolve({ clients: 0, strangers: 0, refused: 0 }));
      }),
  };
  await rig.start();
});
afterEach(() => rig.end());

const WATCH = { ask: 'verify-processes', durationS: 60 } as const;
const until = async (is: () => boolean) => {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 5));
};

async function send(dealer: Dealer, keys: Parameters<AgentRig['proof']>[0], id: string, question: Question) {
  const body = printRequest({ id, question });
  await dealer.send([rig.proof(keys, body), body]);
}

/** The first answer that is the end of the request. */
async function answerOf(dealer: Dealer): Promise<AnswerBody> {
  for (;;) {
    const read = readAnswer((await dealer.receive())[0] as Buffer);
    if (read.is === 'answer' && (read.body.is === 'result' || read.body.is === 'error')) return read.body;
  }
}

/** Begun by a controller that is killed then: the kernel closes its sockets. */
async function abandon(keys: Parameters<AgentRig['proof']>[0], id: string, question: Question): Promise<Work> {
  const dealer = rig.dealer(keys);
  await send(dealer, keys, id, question);
  await until(() => begun.length === 1);
  dealer.close();
  return begun[0] as Work;
}

describe('what takes its time on a host', () => {
  test('goes on over a short cut, and is heard by who waits for it again: begun once', async () => {
    const keys = rig.admit('viewer');
    const id = randomUUID();
    const work = await abandon(keys, id, WATCH);
    rig.nowMs += (LIMITS.unattendedS - 1) * 1_000;
    const dealer = rig.dealer(keys);
    await send(dealer, keys, id, { ask: 'attend' });
    await until(() => work.asker?.isThere() === true);
    end(VERIFICATION);
    expect(await answerOf(dealer)).toEqual({ is: 'result', result: VERIFICATION });
    expect([begun.length, work.signal.aborted]).toEqual([1, false]);
  });

  test('ends when nobody waits for it any more', async () => {
    const work = await abandon(rig.admit('viewer'), randomUUID(), WATCH);
    // It is looked at every two seconds, and has its time from when nobody was seen first.
    while (!work.signal.aborted) {
      rig.nowMs += LIMITS.unattendedS * 1_000;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await until(() => rig.daemon?.find(work.request.id) === undefined);
  });

  test('an answer that was lost with the connection is given to who attends it again', async () => {
    const keys = rig.admit('viewer');
    const id = randomUUID();
    const work = await abandon(keys, id, WATCH);
    end(VERIFICATION);
    await until(() => rig.daemon?.find(work.request.id) === undefined);
    const dealer = rig.dealer(keys);
    await send(dealer, keys, id, { ask: 'attend' });
    expect(await answerOf(dealer)).toEqual({ is: 'result', result: VERIFICATION });
    expect(begun.length).toBe(1);
  });

  test('an agent that knows nothing of it, as after a restart, does not begin it anew, and says so', async () => {
    const keys = rig.admit('viewer');
    const dealer = rig.dealer(keys);
    await send(dealer, keys, randomUUID(), { ask: 'attend' });
    expect(await answerOf(dealer)).toMatchObject({
      is: 'error',
      error: { message: expect.stringContaining('not at work there any more'), exitCode: 3 },
    });
    expect(begun).toEqual([]);
  });

  test('somebody else cannot attend it, nor hear what came of it', async () => {
    const id = randomUUID();
    const work = await abandon(rig.admit('viewer', 'first'), id, WATCH);
    const other = rig.admit('admin', 'second');
    const dealer = rig.dealer(other);
    await send(dealer, other, id, { ask: 'attend' });
    expect(await answerOf(dealer)).toMatchObject({ is: 'error', error: { message: 'Another request has this id.' } });
    end(VERIFICATION);
    await until(() => rig.daemon?.find(work.request.id) === undefined);
    await send(dealer, other, id, { ask: 'attend' });
    expect(await answerOf(dealer)).toMatchObject({ is: 'error', error: { exitCode: 3 } });
  });

  test('taken back with Ctrl-C, it answers with what it saw until then', async () => {
    const connection = await rig.connect(rig.admit('viewer'));
    const interrupted = new AbortController();
    const asked = connection.ask<'verify-processes'>(WATCH, { signal: interrupted.signal });
    await until(() => begun.length === 1);
    interrupted.abort();
    expect((await asked).profile).toBe('cut');
  });

  test('taken back before it was sent, it ends all the same', async () => {
    const connection = await rig.connect(rig.admit('viewer'));
    const asked = connection.ask<'verify-processes'>(WATCH, { signal: AbortSignal.abort() });
    expect((await asked).profile).toBe('cut');
  });

  test('an agent that ends lets nothing go on', async () => {
    await abandon(rig.admit('viewer'), randomUUID(), WATCH);
    await rig.daemon?.stop();
    expect(begun[0]?.signal.aborted).toBe(true);
  });
});

describe('a responder', () => {
  test('is told to who asked for it, and goes with the connection, without a time of grace', async () => {
    const keys = rig.admit('operator');
    const dealer = rig.dealer(keys);
    await send(dealer, keys, randomUUID(), { ask: 'respond', durationS: 60 });
    const read = readAnswer((await dealer.receive())[0] as Buffer);
    expect(read).toMatchObject({ is: 'answer', body: { is: 'listening', port: 17_707 } });
    const [work] = begun as [Work];
    expect([work.asker?.address, work.asker?.localAddress]).toEqual(['127.0.0.1', '127.0.0.1']);
    dealer.close();
    await until(() => work.signal.aborted);
  });
});

test('one at a time measures: a second one hears who does, and begins nothing', async () => {
  const bench = new Bench();
  let free = () => {};
  const first = bench.take(
    { by: 'alice', what: 'verify latency' },
    () => new Promise<void>((resolve) => (free = resolve)),
  );
  const begins = () => Promise.reject(new Error('begun'));
  await expect(bench.take({ by: 'bob', what: 'verify dpdk' }, begins)).rejects.toMatchObject({
    message: expect.stringMatching(/^alice is at it there already \(verify latency\)/),
    exitCode: 3,
  });
  free();
  await first;
  expect(await bench.take({ by: 'bob', what: 'verify dpdk' }, async () => 'done')).toBe('done');
  await expect(bench.take({ by: 'bob', what: 'x' }, begins)).rejects.toThrow('begun');
  expect(await bench.take({ by: 'carol', what: 'x' }, async () => 'free again')).toBe('free again');
});
