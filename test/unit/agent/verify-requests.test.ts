import { randomBytes, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../../src/agent/protocol/limits.ts';
import { readAnswer, readRequest } from '../../../src/agent/protocol/message.ts';
import { pack, unpack } from '../../../src/agent/protocol/packed.ts';
import type { Question } from '../../../src/agent/protocol/request.ts';
import { RESULTS } from '../../../src/agent/protocol/results.ts';
import { sentLatency } from '../../../src/agent/protocol/sent-latency.ts';
import { packAnswer } from '../../../src/cli/agent-latency.ts';
import { sampleRecord } from '../views/report/sample.ts';
import { AgentRig, NOTHING_VERIFIED } from './agent-rig.ts';
import { seeded } from './fuzzed.ts';

const LATENCY = {
  ask: 'verify-latency',
  suite: 'quick',
  probes: ['jitter', 'network'],
  cpus: '2-5,node(0)',
  durationS: 10,
  causes: true,
  peer: { address: '10.0.0.7', port: 17_707 },
  save: { name: 'before', mode: 'new' },
  baseline: 'stock',
  wants: { hdr: true, page: true },
} as const;
const PTP = {
  ask: 'verify-ptp',
  limitNs: 1e3,
  durationS: 5,
  intervalS: 1,
  timescale: 'ptp',
  freeRunning: false,
} as const;
const DPDK = { ask: 'verify-dpdk', vdev: ['net_null'], port: ['0000:3b:00.0'], durationS: 2, bursts: 1 } as const;
const PROCESSES = { ask: 'verify-processes', durationS: 10 } as const;
const RESPOND = { ask: 'respond', durationS: 10, cpu: 3 } as const;
const RIGHT: readonly Question[] = [LATENCY, PTP, DPDK, PROCESSES, RESPOND] as never;

const read = (question: unknown) =>
  readRequest(Buffer.from(JSON.stringify({ hft: 1, id: randomUUID(), ...(question as object) })));

test.each(RIGHT)('$ask is a request', (question) => {
  expect(read(question)).toMatchObject({ is: 'request', request: { question } });
});

describe('no request, and said which part', () => {
  test.each<[string, object, RegExp]>([
    ['a path of a saved measurement', { ...LATENCY, save: { name: '../../etc/x', mode: 'new' } }, /^save.name/],
    ['one that is read', { ...LATENCY, baseline: '/etc/shadow' }, /^baseline/],
    ['a file of arrivals', { ...LATENCY, pattern: '/etc/shadow' }, /pattern/],
    ['a file for the log', { ...LATENCY, wants: { hdr: '/tmp/x', page: false } }, /^wants.hdr/],
    ['a data server', { ...LATENCY, redis: '10.0.0.1:6379' }, /redis/],
    ['an interface for AF_XDP', { ...LATENCY, xdp: 'eth0' }, /xdp/],
    ['an option of hft-probe', { ...LATENCY, probes: ['jitter --cpus 0'] }, /^probes.0/],
    ['an expression that no shell should see', { ...LATENCY, cpus: '$(reboot)' }, /^cpus/],
    ['a name for a peer', { ...LATENCY, peer: { address: 'metadata.internal', port: 17_707 } }, /^peer.address/],
    ['a port of the system', { ...LATENCY, peer: { address: '10.0.0.7', port: 22 } }, /^peer.port/],
    ['everybody as a peer', { ...LATENCY, peer: { address: '255.255.255.255', port: 17_707 } }, /^peer.address/],
    ['a group as a peer', { ...LATENCY, peer: { address: '239.1.2.3', port: 17_707 } }, /^peer.address/],
    ['a group of IPv6 as a peer', { ...LATENCY, peer: { address: 'ff02::1', port: 17_707 } }, /^peer.address/],
    ['nobody as a peer', { ...LATENCY, peer: { address: '0.0.0.0', port: 17_707 } }, /^peer.address/],
    ['a measurement of a day', { ...LATENCY, durationS: 86_400 }, /^durationS/],
    ['one without an end', { ...LATENCY, durationS: 1e99 }, /^durationS/],
    ['one of less than nothing', { ...LATENCY, durationS: -1 }, /^durationS/],
    ['SCHED_FIFO 99', { ...LATENCY, scheduler: 'fifo:99' }, /^scheduler/],
    ['a thousand probes', { ...LATENCY, probes: Array.from({ length: 1_000 }, () => 'jitter') }, /^probes/],
    ['a socket of ptp4l', { ...PTP, socket: '/run/ptp4l' }, /socket/],
    ['a file of metrics', { ...PTP, metrics: '/etc/cron.d/x' }, /metrics/],
    ['a watch without an end', { ...PTP, durationS: 1e9 }, /^durationS/],
    ['processes watched for a day', { ...PROCESSES, durationS: 86_400 }, /^durationS/],
    ['a driver of DPDK with arguments', { ...DPDK, vdev: ['net_pcap,iface=eth0'] }, /^vdev/],
    ['a port that is no address', { ...DPDK, port: ['0000:3b:00.0,mac=x'] }, /^port/],
    ['packets for an hour', { ...DPDK, durationS: 3_600 }, /^durationS/],
    ['an address to listen on', { ...RESPOND, listen: '0.0.0.0:22' }, /listen/],
    ['somebody else to be answered', { ...RESPOND, only: '10.9.9.9' }, /only/],
    ['a responder for a week', { ...RESPOND, durationS: 604_800 }, /^durationS/],
    ['a CPU that is none', { ...RESPOND, cpu: -1 }, /^cpu/],
  ])('%s', (_, question, why) => {
    const answer = read(question);
    expect([answer.is, 'reason' in answer ? answer.reason : '']).toEqual(['wrong', expect.stringMatching(why)]);
  });
});

test('thousands of requests with parts changed at random: what is one is within bounds, and has no path', () => {
  const random = seeded(11);
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const JUNK = [
    '/etc/passwd',
    '../x',
    '$(id)',
    '\u0000',
    'x'.repeat(5_000),
    '',
    -1,
    1e18,
    0.5,
    null,
    true,
    [],
    {},
    [[]],
  ];
  const tally = { request: 0, wrong: 0, foreign: 0, malformed: 0 };
  for (let made = 0; made < 5_000; made++) {
    const question = structuredClone(pick(RIGHT)) as unknown as Record<string, unknown>;
    const key = pick(Object.keys(question).filter((name) => name !== 'ask'));
    const inner = question[key];
    const isNested = typeof inner === 'object' && inner !== null && random() < 0.5;
    const target = (isNested ? inner : question) as Record<string, unknown>;
    const place = isNested ? pick(Object.keys(target)) : pick([key, 'more', '__proto__', 'file']);
    Object.defineProperty(target, place, { value: pick(JUNK), enumerable: true, configurable: true, writable: true });
    const answer = read(question);
    tally[answer.is]++;
    if (answer.is !== 'request') continue;
    const text = JSON.stringify(answer.request.question);
    expect(text).not.toMatch(/\/etc|\.\.\/|\$\(|file|more/);
    const { durationS = 0 } = answer.request.question as { durationS?: number };
    expect(durationS).toBeLessThanOrEqual(LIMITS.measuringS);
  }
  expect(tally.wrong).toBeGreaterThan(2_500);
});

describe('who may ask', () => {
  let rig: AgentRig;
  beforeEach(async () => {
    rig = await new AgentRig().start();
  });
  afterEach(() => rig.end());

  test.each([LATENCY, DPDK, RESPOND] as never as Question[])('a viewer not for $ask', async (question) => {
    const connection = await rig.connect(rig.admit('viewer'));
    await expect(connection.ask(question)).rejects.toThrow(/viewer is a viewer there: `.*` is for operators/);
  });

  test.each([PTP, PROCESSES] as never as Question[])('a viewer for $ask', async (question) => {
    const connection = await rig.connect(rig.admit('viewer'));
    await expect(connection.ask(question)).rejects.toThrow(/the rig has nothing to verify/);
  });

  test('an agent that does not know the request says that its release may be older', async () => {
    const keys = rig.admit('operator');
    const dealer = rig.dealer(keys);
    const body = Buffer.from(JSON.stringify({ hft: 1, id: randomUUID(), ask: 'verify-everything', durationS: 1 }));
    await dealer.send([rig.proof(keys, body), body]);
    const answer = readAnswer((await dealer.receive())[0] as Buffer);
    expect(answer).toMatchObject({
      body: {
        is: 'error',
        error: { exitCode: 3, next: [expect.stringContaining('may be older than the hft that asks')] },
      },
    });
  });

  test('an agent of before has no responder: its greeting is taken as it is', () => {
    const greeting = { host: 'x', version: '0', role: 'viewer', name: 'y', uptimeS: 1 };
    const counters = { answered: 0, refused: 0, malformed: 0, unknownKeys: 0, limited: 0 };
    expect(RESULTS.hello.parse({ ...greeting, counters }).responderPort).toBeUndefined();
  });

  test('an answer that was to be larger than any is none', async () => {
    rig.verifying = { ...NOTHING_VERIFIED, latency: async () => ({ packed: '!'.repeat(10) }) };
    await rig.end();
    await rig.start();
    const connection = await rig.connect(rig.admit('operator', 'second'));
    await expect(connection.ask(LATENCY as never as Question)).rejects.toThrow(/is not what it should be \(packed\)/);
  });
});

interface Sent {
  readonly result: { readonly probes: [object, ...object[]]; readonly findings: object[] };
  readonly plots: { readonly series: [object, ...object[]] };
}

describe('what was measured, on its way', () => {
  const record = sampleRecord();
  const { result, plots, time, version, facts } = record;
  const answer = { result, plots, record: { time, version, facts }, warnings: [], exitCode: 6 as const, hdr: 'a log' };

  test('is the same at the other end', async () => {
    const { packed } = await packAnswer(answer);
    const came = sentLatency.parse(await unpack(packed));
    expect(came).toEqual(JSON.parse(JSON.stringify({ ...answer, leftOut: [] })));
  });

  test('what does not fit is left out, the largest first, and told', async () => {
    const noise = randomBytes(LIMITS.packedBytes).toString('base64');
    const came = sentLatency.parse(await unpack((await packAnswer({ ...answer, hdr: noise })).packed));
    expect([came.hdr, came.leftOut]).toEqual([undefined, [expect.stringContaining('the HDR log did not fit')]]);
    expect(came.plots).toBeDefined();
    const tooMuch = { ...answer, result: { ...result, hypervisor: ' '.repeat(LIMITS.unpackedBytes) } };
    await expect(packAnswer(tooMuch)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('not fit'),
    });
  });

  test.each<[string, (sent: Sent) => void]>([
    ['a figure that is a text', ({ result: { probes } }) => Object.assign(probes[0], { samples: '<script>' })],
    ['a curve of texts', ({ plots: { series } }) => Object.assign(series[0], { curve: [['"/><script>', 1]] })],
    [
      'a curve without an end',
      ({ plots: { series } }) => Object.assign(series[0], { curve: Array(1_000).fill([1, 1]) }),
    ],
    [
      'a kind that is none',
      ({ result: { findings } }) => findings.push({ kind: 'a b', text: '', invalidates: true, probe: '', variant: '' }),
    ],
    ['no result', (sent) => Object.assign(sent, { result: null })],
    ['an exit code of its own', (sent) => Object.assign(sent, { exitCode: 99 })],
  ])('%s is refused', (_, spoil) => {
    const sent = JSON.parse(JSON.stringify({ ...answer, leftOut: [] }));
    spoil(sent);
    expect(sentLatency.safeParse(sent).success).toBe(false);
  });

  test('what unfolds without an end, is nested without one, or is none is not taken', async () => {
    const bomb = gzipSync(Buffer.alloc(LIMITS.unpackedBytes + 1, 0x20)).toString('base64');
    expect(bomb.length).toBeLessThan(LIMITS.packedBytes);
    const deep = gzipSync(`${'['.repeat(1e6)}${']'.repeat(1e6)}`).toString('base64');
    const packs = [bomb, deep, 'bm90aGluZw==', gzipSync('{').toString('base64'), (await pack({})).slice(0, -9)];
    expect(await Promise.all(packs.map(unpack))).toEqual(packs.map(() => undefined));
  });
});
