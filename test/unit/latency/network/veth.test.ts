import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileStrictly, makeFolder } from '../program.ts';
import { askPeer, count, partOf, runOrComplaint, startResponder, type TestResponder } from './responder.ts';

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

test('the cable pulled while it is measured: what is lost is counted, and nobody hangs', async (context) => {
  if (responder === undefined) context.skip(`needs network namespaces: ${why}`);
  const pulled = setTimeout(() => execFileSync('ip', ['-n', near, 'link', 'set', 'hft-a', 'down']), 400);
  const ended = await askPeer(
    program,
    '192.0.2.2:17707',
    ['--transport', 'udp', '--duration-ns', '1500000000'],
    inside(near),
  );
  clearTimeout(pulled);
  execFileSync('ip', ['-n', near, 'link', 'set', 'hft-a', 'up']);
  // Either the kernel refuses to send, which ends the run with a reason, or messages are lost and counted.
  if (ended.exitCode === 0) expect(count(runOrComplaint(ended)).dropped).toBeGreaterThan(0);
  else
    expect(ended.stderr).toMatch(
      /is gone while it was measured|cannot be reached|nobody answers|none of \d+ datagrams/,
    );
});
