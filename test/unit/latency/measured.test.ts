import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import type { Gaps } from '../../../src/latency/probe/block.ts';
import { measure } from '../../../src/latency/probe/measure.ts';
import type { Variant } from '../../../src/latency/probe/probe.ts';
import { nsOfTicks, type ProbeRun } from '../../../src/latency/probe/run.ts';
import { CPUS, compileStrictly, compileTestProgram, makeFolder } from './program.ts';

/** Real runs, judged by what must hold however busy the machine is: sums, counts, and what another process recorded. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const [first, second] = CPUS as [number, number];
const DURATION_MS = 300;
const DURATION_NS = DURATION_MS * 1e6;

interface Asked {
  readonly probe: string;
  readonly cpus: readonly number[];
  readonly options?: Variant['options'];
  readonly durationMs?: number;
}

/** `spins: false` says nothing false to hft-probe: the rule about housekeeping CPUs is not what is tested here. */
async function run({ probe, cpus, options = {}, durationMs = DURATION_MS }: Asked): Promise<ProbeRun> {
  const variant: Variant = { name: '', cpus, spins: false, policy: 'other', options };
  const housekeeping = CPUS.slice(0, 2);
  const measured = await measure(new LocalHost(), {
    program,
    probe,
    variant,
    housekeeping,
    durationMs,
    warmupMs: 50,
    blockMs: 20,
  });
  if (measured.status !== 'measured') throw new Error(`${probe}: ${JSON.stringify(measured)}`);
  return measured.run;
}

function total({ streams }: ProbeRun, name: string, cpu?: number) {
  const blocks = streams
    .filter((stream) => stream.name === name && (cpu ?? stream.cpu) === stream.cpu)
    .flatMap((stream) => stream.blocks);
  const sum = (of: (block: (typeof blocks)[number]) => number) => blocks.reduce((all, block) => all + of(block), 0);
  return {
    blocks,
    count: sum(({ count }) => count),
    sumNs: sum(({ sumNs }) => sumNs),
    durationNs: sum(({ durationNs }) => durationNs),
  };
}

test('jitter: gaps and loops together are all of the time', async () => {
  const measured = await run({ probe: 'jitter', cpus: [first] });
  const [gaps, loops] = [total(measured, 'gap'), total(measured, 'loop')];
  expect(gaps.durationNs).toBe(loops.durationNs);
  expect(gaps.durationNs).toBeGreaterThanOrEqual(DURATION_NS - 1000);
  expect((gaps.sumNs + loops.sumNs) / gaps.durationNs).toBeGreaterThan(0.999);
  expect((gaps.sumNs + loops.sumNs) / gaps.durationNs).toBeLessThan(1.001);
  const [gapStream] = measured.streams;
  expect(gapStream?.gaps.starts.length).toBe(gaps.count);
  expect(gaps.blocks.every(({ minNs, count }) => count === 0 || minNs >= 999)).toBe(true);
});

test('jitter: blocks follow each other without a hole', async () => {
  const { streams } = await run({ probe: 'jitter', cpus: [second] });
  for (const { blocks } of streams) {
    expect(Math.abs(blocks[0]?.startNs ?? Number.NaN)).toBeLessThanOrEqual(2);
    for (const [index, block] of blocks.entries()) {
      const before = blocks[index - 1];
      if (before) expect(Math.abs(before.startNs + before.durationNs - block.startNs)).toBeLessThanOrEqual(2);
    }
  }
});

test('wakeup: each period is a sample, and those that cyclictest would drop are told', async () => {
  const measured = await run({ probe: 'wakeup', cpus: [first, second], options: { 'period-ns': 200_000 } });
  const [every, service] = [total(measured, 'wakeup'), total(measured, 'service')];
  expect(every.count - service.count).toBe(measured.result.overdue);
  for (const cpu of [first, second]) {
    const { count } = total(measured, 'wakeup', cpu);
    // The first period starts up to two periods after the span, and the span is read from the clock once more.
    expect(DURATION_NS / 200_000 - count).toBeGreaterThanOrEqual(0);
    expect(DURATION_NS / 200_000 - count).toBeLessThanOrEqual(3);
  }
  expect(every.sumNs).toBeGreaterThanOrEqual(service.sumNs);
});

test('core-to-core: a round trip for the pair, and bounds of the skew around its best estimate', async () => {
  // Long enough that both threads have their CPUs at the same time now and then, however busy the machine is.
  const measured = await run({ probe: 'core-to-core', cpus: [first, second], durationMs: 1_500 });
  expect(total(measured, 'round-trip').count).toBeGreaterThan(100);
  const [pair] = measured.result.pairs ?? [];
  if (pair === undefined) throw new Error('no pair');
  expect(pair).toMatchObject({ cpu: first, peer: second });
  const { offsetNs, errorNs, lowNs, highNs } = pair.skew;
  expect(errorNs).toBeGreaterThan(0);
  expect(lowNs).toBeLessThanOrEqual(offsetNs + errorNs);
  expect(highNs).toBeGreaterThanOrEqual(offsetNs - errorNs);
  expect(highNs - lowNs).toBeLessThanOrEqual(2 * errorNs + 2);
});

describe('messages', () => {
  test.each([
    ['round-trip', 64, 'spin'],
    ['one-way', 1024, 'spin'],
    ['round-trip', 1024, 'block'],
  ])('shm, %s, %i B, %s: every intended message is a sample or told as unsent', async (direction, payload, wait) => {
    const measured = await run({
      probe: 'shm',
      cpus: [first, second],
      options: { direction, payload, wait, rate: 5000 },
    });
    // Three of four blocks of 20 ms are open; the 15 of 300 ms make 12 open ones of 100 messages each.
    const intended = 12 * 100;
    const sent = total(measured, 'open').count + (measured.result.unsent ?? 0);
    expect(Math.abs(sent - intended)).toBeLessThanOrEqual(12);
    expect(measured.streams.map(({ name }) => name)).toEqual(['open', 'closed']);
    expect(measured.result.damaged).toBe(0);
    expect(measured.meta.skew).toBeDefined();
  });

  test.each([
    ['unix-socket', 'round-trip', 64, 'block'],
    ['unix-socket', 'one-way', 1024, 'spin'],
    ['pipe', 'round-trip', 1024, 'spin'],
    ['pipe', 'one-way', 4096, 'block'],
    ['futex', 'round-trip', 64, 'block'],
    ['futex', 'one-way', 1024, 'spin'],
    ['tcp', 'round-trip', 64, 'spin'],
    ['tcp', 'one-way', 1024, 'block'],
    ['udp', 'round-trip', 64, 'block'],
    ['udp', 'one-way', 64, 'spin'],
  ])('%s, %s, %i B, %s: every message sent is a sample or told as dropped', async (probe, direction, payload, wait) => {
    const options = { direction, payload, wait, rate: 1000 };
    const measured = await run({ probe, cpus: [first, second], options });
    const { sent, dropped, unsent = 0, damaged } = measured.result;
    const [open, closed] = [total(measured, 'open'), total(measured, 'closed')];
    expect(open.count + closed.count).toBe((sent ?? Number.NaN) - (dropped ?? Number.NaN));
    if (probe !== 'udp') {
      expect(dropped).toBe(0);
      // 12 of 15 blocks of 20 ms are open, 20 messages each; the last instant of each may miss one.
      expect(Math.abs(open.count + unsent - 240)).toBeLessThanOrEqual(12);
    }
    expect(damaged).toBe(0);
    expect(measured.meta).toMatchObject({ probe, direction, payloadBytes: payload, wait });
  });

  test('udp: what a full buffer drops is counted, as the kernel counts it', async () => {
    const dropsOfAll = () => {
      const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('Udp:'))
        .map((line) => line.split(' ')) as [string[], string[]];
      return Number(values[names.indexOf('RcvbufErrors')]);
    };
    const before = dropsOfAll();
    const options = { direction: 'one-way', payload: 1024, wait: 'block', rate: 1_000_000, 'receive-buffer': 1 };
    const measured = await run({ probe: 'udp', cpus: [first, second], options });
    const { sent = 0, dropped = 0 } = measured.result;
    expect(dropped).toBeGreaterThan(10);
    expect(total(measured, 'open').count + total(measured, 'closed').count).toBe(sent - dropped);
    expect(dropsOfAll() - before).toBeGreaterThanOrEqual(dropped);
  });

  test('a rate that nobody can keep is not kept quietly', async () => {
    const measured = await run({ probe: 'shm', cpus: [first, second], options: { wait: 'block', rate: 5_000_000 } });
    expect(measured.result.unsent).toBeGreaterThan(1000);
  });
});

/** Times, in ticks, at which the thief had the CPU. */
function parseTimes(printed: string): [bigint, bigint][] {
  const lines = printed.trim().split('\n');
  return lines.map((line) => line.split(' ').map(BigInt) as [bigint, bigint]);
}

function isInside(gaps: Gaps, [start, end]: readonly [bigint, bigint]): boolean {
  let [low, high] = [0, gaps.starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((gaps.starts[middle] as bigint) <= start) low = middle + 1;
    else high = middle;
  }
  return low > 0 && end <= (gaps.ends[low - 1] as bigint);
}

test('jitter: a thread that takes 200 us every 10 ms is seen each time', async () => {
  const thief = compileTestProgram('thief', folder.path);
  const stealing = spawn(thief, [`${first}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void stealing.kill('SIGKILL'));
  const said = text(stealing.stdout);
  const measured = await run({ probe: 'jitter', cpus: [first], durationMs: 2_000 });
  stealing.kill('SIGTERM');
  const stolen = await said;
  const startTicks = measured.result.startTicks;
  const endTicks = startTicks + BigInt(Math.floor(2 * measured.meta.clock.hz));
  // What it had between two interruptions, if it is long enough to be one gap above 1 us.
  const times = parseTimes(stolen).filter(
    ([start, end]) => start > startTicks && end < endTicks && nsOfTicks(measured.meta.clock, end - start) > 2_000,
  );
  expect(times.length).toBeGreaterThan(100);
  const gaps = measured.streams[0]?.gaps as Gaps;
  const seen = times.filter((time) => isInside(gaps, time)).length;
  expect(seen / times.length).toBeGreaterThan(0.95);
  const lengthNs = (list: readonly (readonly [bigint, bigint])[]) =>
    list.reduce((sum, [start, end]) => sum + nsOfTicks(measured.meta.clock, end - start), 0);
  expect(total(measured, 'gap').sumNs).toBeGreaterThan(0.95 * lengthNs(times));
});
