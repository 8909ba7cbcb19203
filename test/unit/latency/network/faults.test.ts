import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { network } from '../../../../src/latency/network/network.ts';
import type { Variant } from '../../../../src/latency/probe/probe.ts';
import { compileStrictly, makeFolder } from '../program.ts';
import { follow } from '../servers/scripted.ts';
import { forward, type Treatments } from './forwarder.ts';
import {
  askPeer,
  count,
  MS,
  partOf,
  runOrComplaint,
  startProbe,
  startResponder,
  type TestResponder,
  until,
} from './responder.ts';

/** What a network does to messages, done by a forwarder between the two: found, counted exactly, and in its place. */
const folder = makeFolder();
let responder: TestResponder;
let program: string;
beforeAll(async () => {
  program = compileStrictly(folder.path);
  responder = await startResponder(program);
});
afterAll(async () => {
  await responder.end();
  folder.remove();
});

const variant: Variant = { name: 'v', cpus: [0], spins: true, policy: 'other', options: {} };

function flipBit(message: Buffer, at: number): Buffer {
  const changed = Buffer.from(message);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** No message is late for its time here: a closed loop would wait 200 ms for each that is lost. */
async function through(treatments: Treatments, more: readonly string[] = ['--rate', '200']) {
  const forwarder = await forward(responder.port, treatments);
  try {
    return runOrComplaint(await askPeer(program, forwarder.address, more));
  } finally {
    forwarder.close();
  }
}

describe('delay', () => {
  test.each([
    ['there', 'there', 'back'],
    ['back', 'back', 'there'],
  ] as const)('on the way %s is in the wire and on that way, not in the time at the peer', async (way, slow, quick) => {
    const run = await through({ [way]: (_: number, pass: () => void) => setTimeout(() => pass(), 60) });
    expect(partOf(run, 'wire').minNs).toBeGreaterThan(50 * MS);
    expect(partOf(run, 'peer').minNs).toBeLessThan(30 * MS);
    expect(partOf(run, slow).minNs).toBeGreaterThan(50 * MS);
    expect(partOf(run, quick).minNs).toBeLessThan(30 * MS);
    const open = run.streams.find(({ name }) => name === 'open')?.blocks.filter((block) => block.count > 0) ?? [];
    expect(Math.min(...open.map(({ minNs }) => minNs))).toBeGreaterThan(50 * MS);
  });
});

describe('loss', () => {
  test('is counted exactly, by the way on which it was', async () => {
    const lost = { there: 0, back: 0 };
    const lose = (way: 'there' | 'back', each: number) => (index: number, pass: () => void) => {
      if (index % each === each - 1) lost[way]++;
      else pass();
    };
    const run = await through({ there: lose('there', 10), back: lose('back', 7) });
    const { sent, samples, dropped } = count(run);
    const { peerTally: tally } = run.result;
    expect(lost.there).toBeGreaterThan(0);
    expect(lost.back).toBeGreaterThan(0);
    expect((tally?.sent ?? 0) - (tally?.received ?? 0)).toBe(lost.there);
    expect((tally?.replied ?? 0) - (tally?.answered ?? 0)).toBe(lost.back);
    expect(samples + dropped).toBe(sent);
    expect(dropped).toBeGreaterThan(0);
    const finding = network.report(run, variant).findings.find(({ kind }) => kind === 'messages-dropped');
    expect(finding).toMatchObject({ invalidates: true });
    expect(finding?.text).toContain(
      `With the warm-up ${lost.there} were lost on the way there and ${lost.back} on the way back.`,
    );
  });
});

/** What the kernel dropped at the full buffers of the sockets of this port. */
function dropsAt(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.filter(([, local]) => local?.endsWith(`:${hex}`)).reduce((sum, row) => sum + Number(row.at(-1)), 0);
}

test('what is lost at a full buffer, because the responder got no CPU, is told from what the network lost', async () => {
  const own = await startResponder(program);
  const probe = startProbe(program, own.address, ['--rate', '20000', '--duration-ns', `${3000 * MS}`]);
  let bytes = 0;
  probe.stdout.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  const followed = follow(probe);
  // META and the first blocks: it measures.
  await until(() => bytes > 10_000);
  own.child.kill('SIGSTOP');
  await until(() => dropsAt(own.port) > 0);
  own.child.kill('SIGCONT');
  const run = runOrComplaint(await followed);
  await own.end();
  const { peerTally: tally } = run.result;
  expect(tally?.overflowed).toBeGreaterThan(0);
  // Between two sockets of one host nothing is lost anywhere else.
  expect((tally?.sent ?? 0) - (tally?.received ?? 0)).toBe(tally?.overflowed);
  const finding = network.report(run, variant).findings.find(({ kind }) => kind === 'messages-dropped');
  expect(finding?.text).toContain(`at the full buffer of a socket: `);
  expect(finding?.text).toContain(`${tally?.overflowed} at the peer`);
});

describe('disorder', () => {
  test('a message that is overtaken is seen, at the end where it was', async () => {
    let held: (() => void) | undefined;
    const run = await through({
      back(index, pass) {
        // Each tenth waits until the next one has gone.
        if (index % 10 === 5) {
          held = pass;
          return;
        }
        pass();
        held?.();
        held = undefined;
      },
    });
    expect(run.result.reordered).toBeGreaterThan(0);
    expect(run.result.peerTally?.reordered).toBe(0);
    const texts = network.report(run, variant).findings.map(({ text }) => text);
    expect(texts).toContainEqual(expect.stringContaining('came back after one that was sent later'));
  });

  test('a message that comes twice counts once', async () => {
    let twice = 0;
    const run = await through({
      there(index, pass) {
        pass();
        if (index % 5 !== 4) return;
        twice++;
        pass();
      },
    });
    const { sent, samples, dropped } = count(run);
    expect(samples + dropped).toBe(sent);
    expect(run.result.peerTally).toMatchObject({ repeated: twice, reordered: 0 });
    expect(run.result.repeated).toBe(0);
  });
});

test('a message that is changed on its way is counted and is no sample', async () => {
  let changed = 0;
  const run = await through({
    there(index, pass, message) {
      if (index % 10 !== 9) return pass();
      changed++;
      pass(flipBit(message, 40));
    },
  });
  expect(changed).toBeGreaterThan(0);
  expect(run.result.peerTally?.damaged).toBe(changed);
  expect(network.report(run, variant).findings.map(({ kind }) => kind)).toContain('messages-damaged');
});

test('what pretends to be a reply is left out: its token is not known', async () => {
  let forged = 0;
  const run = await through({
    back(_, pass, message) {
      pass();
      forged++;
      pass(flipBit(message, 0));
    },
  });
  expect(run.result.strangers).toBeGreaterThan(0);
  expect(run.result.strangers).toBeLessThanOrEqual(forged);
  expect(run.result.repeated).toBe(0);
});

test('over TCP messages that come in pieces are put together', async () => {
  const run = await through(
    {
      stream(piece, pass) {
        for (let at = 0; at < piece.length; at += 100) pass(piece.subarray(at, at + 100));
      },
    },
    ['--transport', 'tcp', '--rate', '200', '--payload', '1024'],
  );
  const { sent, samples } = count(run);
  expect(samples).toBe(sent);
  expect(run.result.peerTally?.damaged).toBe(0);
});
