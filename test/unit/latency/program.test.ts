import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Frame, FrameReader } from '../../../src/latency/probe/frames.ts';
import { parseMeta } from '../../../src/latency/probe/meta.ts';
import { CPUS, compileSanitized, compileStrictly, makeFolder } from './program.ts';

/** What hft-probe computes by itself, asked of it in its self-test, and a run of each probe under the sanitizers. */
const folder = makeFolder();
let program: string;
beforeAll(() => {
  program = compileStrictly(folder.path);
});
afterAll(() => folder.remove());

const selfTest = (name: string, input = '') => execFileSync(program, ['self-test', name], { input, maxBuffer: 1e8 });

const HIGHEST = 3_600_000_000_000n;

/**
 * HdrHistogram's index into its counts (lowest 1, 3 digits: 2048 sub-buckets), from its definition: the first bucket has 2048 of
 * width 1, each later one 1024 of twice the width before.
 */
function hdrIndex(value: bigint): { index: bigint; lowest: bigint } {
  const clamped = value > HIGHEST ? HIGHEST : value;
  if (clamped < 2048n) return { index: clamped, lowest: clamped };
  let width = 2n;
  let bucket = 1n;
  while (clamped >= 2048n * width) {
    width *= 2n;
    bucket += 1n;
  }
  return { index: 1024n * bucket + clamped / width, lowest: (clamped / width) * width };
}

test('buckets are those of HdrHistogram', () => {
  const values = [...Array(5000).keys()].map(BigInt);
  for (let power = 1n; power <= 64n; power++) {
    for (const off of [-1025n, -2n, -1n, 0n, 1n, 2n, 1023n, 1024n, 2047n]) values.push(2n ** power + off);
  }
  for (const off of [-1n, 0n, 1n]) values.push(HIGHEST + off);
  const asked = values.filter((value) => value >= 0n && value < 2n ** 64n);
  const lines = selfTest('buckets', asked.join('\n')).toString().trim().split('\n');
  expect(lines).toEqual(asked.map((value) => `${value} ${hdrIndex(value).index} ${hdrIndex(value).lowest}`));
  expect(asked.length).toBeGreaterThan(5400);
});

test('frames are what the reader reads', () => {
  const reader = new FrameReader();
  const frames: Frame[] = [...reader.push(selfTest('frames'))];
  expect(reader.torn).toBe(0);
  expect(frames.map(({ type }) => type)).toEqual(['meta', 'block', 'block', 'gaps', 'gaps', 'result']);
  const [meta, empty, full, gaps, lastGap, result] = frames;
  expect(meta).toMatchObject({ json: { probe: 'self-test', long: `${'0'.repeat(2999)}7` } });
  expect(empty).toMatchObject({
    stream: 3,
    startRawNs: 5n,
    block: { block: 0, durationNs: 100, count: 0, minNs: 0, maxNs: 0, sumNs: 0 },
  });
  const values = [
    1n,
    10n,
    100n,
    1000n,
    10_000n,
    100_000n,
    1_000_000n,
    10_000_000n,
    100_000_000n,
    1_000_000_000n,
    2n * HIGHEST,
  ];
  expect(full).toMatchObject({
    startRawNs: 2n ** 53n,
    block: {
      count: 11,
      minNs: 1,
      maxNs: Number(2n * HIGHEST),
      sumNs: Number(values.reduce((sum, value) => sum + value)),
      buckets: Uint32Array.from(values, (value) => Number(hdrIndex(value).index)),
      counts: new Uint32Array(11).fill(1),
    },
  });
  expect(gaps).toMatchObject({ stream: 2, gaps: { starts: { length: 4096 } } });
  expect(lastGap).toMatchObject({
    gaps: { starts: BigUint64Array.of(2n ** 60n + 4096n), ends: BigUint64Array.of(2n ** 60n + 8193n) },
  });
  expect(result).toMatchObject({ json: { done: true } });
});

test('the largest gaps are kept, the others and those that found no place are counted', () => {
  // 196608 gaps of all lengths from 1: the 65536 longest are kept. Then 65541 at once into a ring of 65536.
  expect(selfTest('gaps').toString()).toBe('65536 131072 5 131073\n');
});

test('the clock: calibrated against CLOCK_MONOTONIC_RAW, floors in order', () => {
  const clocks = [1, 2, 3].map(() => JSON.parse(selfTest('clock').toString()) as Record<string, number>);
  // Between reading the two clocks anything can happen on a busy machine, but not each time.
  const apart = Math.min(...clocks.map(({ rawNs = 0, rawNsByTicks = 0 }) => Math.abs(rawNsByTicks - rawNs)));
  expect(apart).toBeLessThan(20_000);
  for (const clock of clocks) {
    expect(clock.nsOfATickedSecond).toBeGreaterThan(999_999_990);
    expect(clock.nsOfATickedSecond).toBeLessThanOrEqual(1_000_000_000);
    expect(clock.quantumNs).toBeGreaterThan(0);
    expect(clock.errorPpm).toBeLessThan(20);
    expect(clock.readNs).toBeGreaterThan(0.5);
    expect(clock.orderedReadNs).toBeGreaterThan((clock.readNs as number) * 0.9);
  }
  const ratio = Math.min(...clocks.map(({ loopNs = 0, readNs = 1 }) => loopNs / readNs));
  expect(ratio).toBeLessThan(1.5);
});

describe('the steps of a clock, by the differences that came more than a few times', () => {
  const rounded = (stepNs: number, ...steps: number[]) =>
    steps.flatMap((each) => [Math.floor(each * stepNs), Math.ceil(each * stepNs)]);
  test.each([
    ['a TSC in steps of 26', [26, 52, 78, 130], [26, 26]],
    ['ns, each of them', [17, 18, 19, 20, 31, 32, 33], [1, 1]],
    ['ACPI timer, a read takes three to six steps', rounded(1e9 / 3_579_545, 3, 4, 6), [1, 279]],
    ['HPET of 14.3 MHz', rounded(1e9 / 14_318_180, 9, 10, 11), [1, 70]],
    ['HPET of 100 MHz, emulated: a read takes 5 us and more', [5020, 5030, 5060, 61_000], [10, 10]],
    ['one difference alone: no finer one is known', [500], [500, 500]],
    ['none', [], [0, 0]],
  ])('%s', (_, differences, expected) => {
    const often = differences.map((each) => `${each} 50`);
    // What comes as seldom as that is a hypervisor's correction.
    const input = [...often, '1 3', '1003 2'].join('\n');
    expect(selfTest('quantum', input).toString()).toBe(`${expected.join(' ')}\n`);
  });
});

test.each([
  [1, ['--threshold-ns', '1']],
  [1000, []],
])('of gaps from %d ns on none is listed that cannot be told from turns of the loop', (askedThresholdNs, options) => {
  const span = ['--duration-ns', '20000000', '--warmup-ns', '20000000', '--block-ns', '5000000'];
  const output = execFileSync(program, ['jitter', '--cpus', `${CPUS[0]}`, ...span, ...options]);
  const [first] = [...new FrameReader().push(output)];
  if (first?.type !== 'meta') throw new Error(`expected META first, got ${first?.type}`);
  const meta = parseMeta(first.json);
  expect(meta.askedThresholdNs).toBe(askedThresholdNs);
  // It is printed with three digits.
  const told = Math.max(askedThresholdNs, meta.clock.loopNs * 4 + 0.5);
  expect(Math.abs((meta.thresholdNs ?? 0) - told)).toBeLessThanOrEqual(0.6);
});

test.each([
  ['as hft-probe chooses', [], /^\{"source":"(tsc|cntvct|raw)"(,"whyRaw":".+")?\}\n$/],
  ['as it is asked', ['--clock', 'raw'], /^\{"source":"raw","whyRaw":"asked for"\}\n$/],
])('which clock a run would have, %s', (_, options, said) => {
  const answer = execFileSync(program, ['clock', ...options], { encoding: 'utf8' });
  expect(answer).toMatch(said);
});

describe('under the address and undefined-behaviour sanitizers', () => {
  let sanitized: string;
  beforeAll(() => {
    sanitized = compileSanitized(folder.path);
  });

  const [first, second] = CPUS as [number, number];
  const span = ['--duration-ns', '60000000', '--warmup-ns', '20000000', '--block-ns', '5000000'];
  test.each([
    ['self-test', 'frames'],
    ['self-test', 'gaps'],
    ['self-test', 'clock'],
    ['jitter', '--cpus', `${first}`, ...span],
    ['jitter', '--clock', 'raw', '--cpus', `${first}`, ...span],
    ['wakeup', '--cpus', `${first},${second}`, '--period-ns', '100000', ...span],
    ['core-to-core', '--cpus', `${first},${second}`, ...span],
    ['shm', '--cpus', `${first},${second}`, '--rate', '20000', ...span],
    ['shm', '--cpus', `${second},${first}`, '--rate', '5000', '--wait', 'block', '--payload', '1024', ...span],
    ['shm', '--cpus', `${first},${second}`, '--direction', 'one-way', '--rate', '20000', '--payload', '4096', ...span],
    ...['unix-socket', 'pipe', 'futex', 'tcp', 'udp'].flatMap((probe) => [
      [probe, '--cpus', `${first},${second}`, '--rate', '5000', '--wait', 'block', ...span],
      [
        probe,
        '--cpus',
        `${second},${first}`,
        '--direction',
        'one-way',
        '--payload',
        '4096',
        '--rate',
        '20000',
        ...span,
      ],
    ]),
    ['pipeline', '--cpus', `${first},${second}`, '--wait', 'block', '--rate', '2000', ...span],
    ['pipeline', '--cpus', `${second}`, '--wait', 'block', '--rate', '1000000', '--submit', 'socket', ...span],
    ['load', '--kind', 'housekeeping', '--cpus', `${first},${second}`, '--deadline-ns', '200000000'],
    ['load', '--kind', 'network', '--cpus', `${first},${second}`, '--deadline-ns', '200000000'],
  ])('%s %s %s', (...argv) => {
    const reader = new FrameReader();
    const output = execFileSync(sanitized, argv, { maxBuffer: 1e8, stdio: ['ignore', 'pipe', 'pipe'] });
    if (argv[0] === 'load' || (argv[0] === 'self-test' && argv[1] !== 'frames'))
      return expect(output.length).toBeGreaterThan(10);
    const frames = [...reader.push(output)];
    expect(frames.at(-1)?.type).toBe('result');
  });
});
