import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { network } from '../../../../src/latency/network/network.ts';
import type { Variant } from '../../../../src/latency/probe/probe.ts';
import { compileSanitized, compileStrictly, makeFolder } from '../program.ts';
import { follow } from '../servers/scripted.ts';
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

/** Real runs over the loopback interface, judged by what holds on a busy machine. */
const folder = makeFolder();
let program: string;
let responder: TestResponder;
beforeAll(async () => {
  program = compileStrictly(folder.path);
  responder = await startResponder(program);
});
afterAll(async () => {
  await responder.end();
  folder.remove();
});

const variant: Variant = { name: 'v', cpus: [0], spins: true, policy: 'other', options: {} };
const lastClient = () => responder.events.filter((each) => each.event === 'client').at(-1);

describe.each([
  ['udp', 'block', 64],
  ['udp', 'spin', 1024],
  ['tcp', 'block', 1024],
  ['tcp', 'spin', 64],
] as const)('%s, %s, %i B', (transport, wait, payload) => {
  test('every message is a sample or counted as lost, and its time is split', async () => {
    const options = ['--transport', transport, '--wait', wait, '--payload', `${payload}`];
    const run = runOrComplaint(await askPeer(program, responder.address, options));
    const { sent, samples, dropped } = count(run);
    expect(sent).toBeGreaterThan(50);
    expect(samples + dropped).toBe(sent);
    if (transport === 'tcp') expect(dropped).toBe(0);
    expect(run.meta).toMatchObject({ part: transport, payloadBytes: payload, wait, direction: 'round-trip' });
    expect(run.meta.network).toMatchObject({
      address: responder.address,
      peerWait: 'block',
      sameClock: true,
      stamps: true,
    });
    expect(run.meta.network?.here).toMatchObject({ card: 'lo', hasHardware: false });
    expect(run.result.peerTally?.received).toBeGreaterThan(sent - dropped - 1);
    const parts = ['send', 'wire', 'peer', 'receive', 'there', 'back'].map((name) => partOf(run, name));
    expect(new Set(parts.map((part) => part.count)).size).toBe(1);
    expect(parts[0]?.count).toBeGreaterThan(0);
    expect(partOf(run, 'card-wire').count).toBe(0);
    // Nothing arrives before it is sent, so the one clock of both ends is not apart from itself.
    const { lowNs, highNs } = run.result.clocks?.bounds ?? { lowNs: 1, highNs: -1 };
    expect(lowNs).toBeLessThanOrEqual(0);
    expect(highNs).toBeGreaterThanOrEqual(0);
  });

  test('the responder says what it counted', async () => {
    await until(() => lastClient() !== undefined);
    expect(lastClient()).toMatchObject({
      transport,
      payloadBytes: payload,
      wait: 'block',
      end: 'done',
      address: '127.0.0.1',
    });
  });
});

test('the parts of the quickest round trip are not longer than it', async () => {
  const run = runOrComplaint(await askPeer(program, responder.address, ['--transport', 'udp']));
  const stamped = run.streams.find(({ name }) => name === 'stamped')?.blocks.filter((block) => block.count > 0) ?? [];
  const longest = Math.max(...stamped.map(({ maxNs }) => maxNs));
  const sum = ['send', 'wire', 'peer', 'receive'].reduce((all, name) => all + partOf(run, name).minNs, 0);
  expect(sum).toBeLessThan(longest);
});

test('the report has the round trip, its parts, and one way of one clock', async () => {
  const run = runOrComplaint(await askPeer(program, responder.address));
  const { measures, findings } = network.report(run, variant);
  const of = (part: string) => measures.find((measure) => measure.part === part && measure.rule === 'open');
  expect(of('udp')).toMatchObject({ direction: 'round-trip', peer: { timestamps: 'program', isSameKernel: true } });
  expect(of('udp-wire')).toMatchObject({ isSplit: true, direction: 'round-trip', peer: { timestamps: 'kernel' } });
  expect(of('udp-there')).toMatchObject({ isSplit: true, direction: 'one-way' });
  expect(of('udp-card-wire')).toBeUndefined();
  expect(measures.find(({ rule }) => rule === 'closed')).toMatchObject({ part: 'udp', pacing: { kind: 'saturated' } });
  const texts = findings.map(({ text }) => text).join('\n');
  expect(texts).toContain('is on this kernel');
  expect(texts).toContain('Times of the network cards: unsupported (here: lo has no hardware timestamps');
});

test('datagrams of strangers to its port are ignored and counted, while somebody is measured', async () => {
  const own = await startResponder(program);
  const stranger = createSocket('udp4');
  let heard = 0;
  stranger.on('message', () => {
    heard++;
  });
  const probing = follow(startProbe(program, own.address));
  const talking = setInterval(() => stranger.send(Buffer.alloc(64, 7), own.port, '127.0.0.1'), 5);
  const run = runOrComplaint(await probing);
  clearInterval(talking);
  expect(await own.end()).toBe(0);
  stranger.close();
  expect(heard).toBe(0);
  expect(run.result.peerTally?.strangers).toBe(0);
  const last = own.events.at(-1);
  expect(last).toMatchObject({ event: 'ended' });
  expect(last?.strangers).toBeGreaterThan(0);
});

test('under the address and undefined-behaviour sanitizers, at both ends', async () => {
  const sanitized = compileSanitized(folder.path);
  const own = await startResponder(sanitized);
  for (const transport of ['udp', 'tcp']) {
    const ended = await askPeer(sanitized, own.address, ['--transport', transport]);
    expect({ stderr: ended.stderr, exitCode: ended.exitCode }).toEqual({ stderr: '', exitCode: 0 });
  }
  expect(await own.end()).toBe(0);
  expect(own.said()).toBe('');
});

test('a rate is kept although a reply takes longer than the time between two messages', async () => {
  // 20 messages are under way at a time: traffic that waits for each reply could not send them.
  const { forward } = await import('./forwarder.ts');
  const late = await forward(responder.port, { there: (_, pass) => setTimeout(() => pass(), 40) });
  const span = ['--duration-ns', `${2000 * MS}`];
  const run = runOrComplaint(await askPeer(program, late.address, ['--transport', 'udp', '--rate', '500', ...span]));
  late.close();
  const open = run.streams.find(({ name }) => name === 'open')?.blocks ?? [];
  // 5 of 8 turns of 2 s at 500 a second are 625; one after the other they would be 50 at most.
  expect(open.reduce((sum, block) => sum + block.count, 0)).toBeGreaterThan(150);
  expect(partOf(run, 'wire').minNs).toBeGreaterThan(30 * MS);
});

test.each([
  ['lo', '1 none'],
  ['nosuch', '0 none'],
])('whether received packets are joined is known of %s: %s', (name, answer) => {
  expect(execFileSync(program, ['self-test', 'joining', name], { encoding: 'utf8' }).trim()).toBe(answer);
});
