import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { network } from '../../../../src/latency/network/network.ts';
import type { Variant } from '../../../../src/latency/probe/probe.ts';
import { compileStrictly, makeFolder } from '../program.ts';
import { type Ended, follow } from '../servers/scripted.ts';
import {
  askPeer,
  count,
  partOf,
  runOrComplaint,
  startProbe,
  startResponder,
  type TestResponder,
  until,
} from './responder.ts';

const VARIANT: Variant = { name: 'v', cpus: [0], spins: true, policy: 'other', options: {} };

/** Two network namespaces with a pair of virtual cards between them: packets go through drivers, as between hosts. */
const folder = makeFolder();
const [near, far] = [`hft-test-${process.pid}-a`, `hft-test-${process.pid}-b`];
const inside = (name: string) => ['ip', 'netns', 'exec', name];
let program: string;
let responder: TestResponder | undefined;
let why: string | undefined;

/** Why there are none here; undefined when they are there. */
function makeNamespaces(): string | undefined {
  const steps = [
    ['netns', 'add', near],
    ['netns', 'add', far],
    ['link', 'add', 'hft-a', 'netns', near, 'type', 'veth', 'peer', 'name', 'hft-b', 'netns', far],
    ['-n', near, 'addr', 'add', '192.0.2.1/24', 'dev', 'hft-a'],
    ['-n', far, 'addr', 'add', '192.0.2.2/24', 'dev', 'hft-b'],
    ['-n', near, 'addr', 'add', '2001:db8::1/64', 'dev', 'hft-a', 'nodad'],
    ['-n', far, 'addr', 'add', '2001:db8::2/64', 'dev', 'hft-b', 'nodad'],
    ['-n', near, 'link', 'set', 'hft-a', 'up'],
    ['-n', far, 'link', 'set', 'hft-b', 'up'],
  ];
  for (const step of steps) {
    const { status, error, stderr } = spawnSync('ip', step, { encoding: 'utf8' });
    if (status !== 0) return `ip ${step.join(' ')}: ${error?.message ?? stderr.trim()}`;
  }
  return undefined;
}

beforeAll(async () => {
  program = compileStrictly(folder.path);
  why = makeNamespaces();
  if (why === undefined)
    responder = await startResponder(program, { within: inside(far), host: '192.0.2.2', port: 17_707 });
});
afterAll(async () => {
  await responder?.end();
  for (const name of [near, far]) spawnSync('ip', ['netns', 'del', name]);
  folder.remove();
});

describe.each(['udp', 'tcp'])('%s', (transport) => {
  test('through virtual cards, with all stamps', async (context) => {
    if (responder === undefined) context.skip(`needs network namespaces: ${why}`);
    const run = runOrComplaint(await askPeer(program, '192.0.2.2:17707', ['--transport', transport], inside(near)));
    const { sent, samples, dropped } = count(run);
    expect(samples + dropped).toBe(sent);
    expect(run.meta.network).toMatchObject({
      sameClock: true,
      here: {
        card: 'hft-a',
        hasHardware: false,
        whyNoHardware: expect.stringContaining('hft-a has no hardware timestamps'),
      },
      peer: { card: 'hft-b', hasHardware: false },
    });
    for (const name of ['send', 'wire', 'peer', 'receive', 'there', 'back'])
      expect(partOf(run, name).count).toBeGreaterThan(0);
    // Its parts are what they are on one clock: nothing comes before it goes.
    expect(run.result).toMatchObject({ incoherent: 0, beforeSent: 0 });
  });
});

test('over IPv6', async (context) => {
  if (responder === undefined) context.skip(`needs network namespaces: ${why}`);
  const own = await startResponder(program, { within: inside(far), host: '[2001:db8::2]', port: 17_708 });
  const run = runOrComplaint(await askPeer(program, '[2001:db8::2]:17708', ['--transport', 'udp'], inside(near)));
  expect(count(run).samples).toBeGreaterThan(0);
  expect(partOf(run, 'wire').count).toBeGreaterThan(0);
  expect(await own.end()).toBe(0);
  expect(own.events[1]).toMatchObject({ event: 'client', address: '2001:db8::1' });
});

describe('AF_XDP', () => {
  const options = ['--transport', 'udp', '--wait', 'spin', '--xdp', 'hft-a'];
  const isAttachedTo = (name: string, link: string) =>
    spawnSync('ip', ['-n', name, '-d', 'link', 'show', link], { encoding: 'utf8' }).stdout.includes('xdp');
  const isAttached = () => isAttachedTo(near, 'hft-a');
  /** Why not here; undefined when it is possible. */
  const whyNot = (ended: Ended) => {
    const said = ended.exitCode === 3 ? (JSON.parse(ended.stderr) as { unsupported: string }).unsupported : '';
    return said.startsWith('AF_XDP') ? said : undefined;
  };

  test('every message is a sample or counted as lost, past the kernel of this end', async (context) => {
    if (responder === undefined) context.skip(`needs network namespaces: ${why}`);
    const ended = await askPeer(program, '192.0.2.2:17707', [...options, '--payload', '1024'], inside(near));
    if (whyNot(ended) !== undefined) context.skip(`needs AF_XDP: ${whyNot(ended)}`);
    const run = runOrComplaint(ended);
    const { sent, samples, dropped } = count(run);
    expect(samples).toBeGreaterThan(0);
    expect(samples + dropped).toBe(sent);
    expect(run.result).toMatchObject({ damaged: 0, strangers: 0, stamped: 0 });
    expect(run.meta).toMatchObject({
      part: 'xdp',
      xdp: { interface: 'hft-a', atPeer: false },
      network: { stamps: false },
    });
    // Every reply that was sent came past the kernel: none is waiting in the socket of the stack.
    expect(run.result.peerTally?.damaged).toBe(0);
    expect(isAttached()).toBe(false);
    const { findings, measures } = network.report(run, { ...VARIANT, name: 'xdp' });
    expect(measures.map(({ part, rule }) => [part, rule])).toEqual([
      ['xdp', 'open'],
      ['xdp', 'closed'],
    ]);
    expect(findings.find(({ kind }) => kind === 'past-kernel')?.text).toContain(
      'AF_XDP on hft-a (generic XDP, copied)',
    );
  });

  test('at both ends, sleeping and spinning at the other one', async (context) => {
    if (responder === undefined) context.skip(`needs network namespaces: ${why}`);
    for (const wait of ['block', 'spin']) {
      const more = ['--xdp', 'hft-b', '--wait', wait];
      const own = await startResponder(program, { within: inside(far), host: '192.0.2.2', port: 17_710, more });
      const ended = await askPeer(program, own.address, options, inside(near));
      if (whyNot(ended) !== undefined) context.skip(`needs AF_XDP: ${whyNot(ended)}`);
      const run = runOrComplaint(ended);
      const { sent, samples, dropped } = count(run);
      expect(samples).toBeGreaterThan(0);
      expect(samples + dropped).toBe(sent);
      expect(run.meta).toMatchObject({ xdp: { interface: 'hft-a', atPeer: true }, network: { peerWait: wait } });
      expect(run.result.peerTally).toMatchObject({ damaged: 0, strangers: 0, repeated: 0 });
      // One that does not ask for it goes through the stack of the same responder.
      const through = runOrComplaint(await askPeer(program, own.address, [], inside(near)));
      expect(count(through).samples).toBeGreaterThan(0);
      expect(await own.end()).toBe(0);
      expect(own.events.map((each) => (each.event === 'client' ? each.xdp : each.event))).toEqual([
        'listening',
        true,
        false,
        'ended',
      ]);
      expect(isAttachedTo(far, 'hft-b')).toBe(false);
    }
  });

  test('the probe killed: nothing is left on the interface', async (context) => {
    if (responder === undefined) context.skip(`needs network namespaces: ${why}`);
    const probe = startProbe(program, '192.0.2.2:17707', [...options, '--duration-ns', '60000000000'], inside(near));
    const followed = follow(probe);
    await until(() => isAttached() || probe.exitCode !== null);
    if (probe.exitCode !== null) {
      const ended = await followed;
      if (whyNot(ended) !== undefined) context.skip(`needs AF_XDP: ${whyNot(ended)}`);
    }
    probe.kill('SIGKILL');
    await followed;
    await until(() => !isAttached());
    // And the way through the kernel is as before.
    expect(count(runOrComplaint(await untilFree())).samples).toBeGreaterThan(0);
  });

  /** The responder sees the death of a probe a moment later. */
  async function untilFree(): Promise<Ended> {
    for (let tries = 0; ; tries++) {
      const ended = await askPeer(program, '192.0.2.2:17707', [], inside(near));
      if (ended.exitCode !== 3 || tries > 100) return ended;
    }
  }

  test.for([
    ['lo', 'AF_XDP on lo: the way to the peer is through hft-a'],
    ['nosuch', 'AF_XDP on nosuch: there is no such interface'],
  ] as const)('not on %s', async ([name, message], context) => {
    if (responder === undefined) context.skip(`needs network namespaces: ${why}`);
    const ended = await askPeer(program, '192.0.2.2:17707', [...options.slice(0, -1), name], inside(near));
    expect(whyNot(ended)).toContain(message);
  });
});

test('the cable pulled while it is measured: what is lost is counted, and nobody hangs', async (context) => {
  if (responder === undefined) context.skip(`needs network namespaces: ${why}`);
  // One of its own, whose place for who is silent is soon free.
  const own = await startResponder(program, {
    within: inside(far),
    host: '192.0.2.2',
    port: 17_709,
    more: ['--idle-ns', '300000000'],
  });
  const options = ['--transport', 'udp', '--duration-ns', '1500000000'];
  const probe = startProbe(program, own.address, options, inside(near));
  const followed = follow(probe);
  await Promise.race([once(probe.stdout, 'data'), followed]);
  execFileSync('ip', ['-n', near, 'link', 'set', 'hft-a', 'down']);
  const ended = await followed;
  execFileSync('ip', ['-n', near, 'link', 'set', 'hft-a', 'up']);
  await until(() => own.events.length > 1);
  expect(own.events[1]).toMatchObject({ event: 'client' });
  await own.end();
  // Either the kernel refuses to send, which ends the run with a reason, or messages are lost and counted.
  if (ended.exitCode === 0) expect(count(runOrComplaint(ended)).dropped).toBeGreaterThan(0);
  else
    expect(ended.stderr).toMatch(
      /is gone while it was measured|cannot be reached|nobody answers|none of \d+ datagrams/,
    );
});
