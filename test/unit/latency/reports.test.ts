import { describe, expect, test } from 'vitest';
import { coreToCore } from '../../../src/latency/core-to-core/core-to-core.ts';
import { jitter } from '../../../src/latency/jitter/jitter.ts';
import type { Block } from '../../../src/latency/probe/block.ts';
import { BadFrame } from '../../../src/latency/probe/frames.ts';
import { BadReport } from '../../../src/latency/probe/meta.ts';
import type { ProbeReport, Variant } from '../../../src/latency/probe/probe.ts';
import { type ProbeRun, RunAssembly, rawNsAt } from '../../../src/latency/probe/run.ts';
import { shm } from '../../../src/latency/shm/shm.ts';
import { wakeup } from '../../../src/latency/wakeup/wakeup.ts';

/** What the probes say of a run, of runs made up. */
const CLOCK = {
  source: 'tsc',
  hz: 2.5e9,
  quantumNs: 0.8,
  readNs: 8,
  orderedReadNs: 19,
  recordNs: 3,
  loopNs: 9,
  epochTicks: `${2n ** 60n}`,
  epochNs: `${2n ** 55n}`,
};
const META = {
  probe: 'jitter',
  version: '0.1.0',
  format: 1,
  streams: [{ id: 0, name: 'gap', cpu: 2, unit: 'ns', what: 'gaps' }],
  clock: CLOCK,
  policy: 'other',
  fifoPriority: 0,
  durationNs: 2e9,
  warmupNs: 1e9,
  blockNs: 1e9,
  controlShared: false,
  memoryLocked: true,
};
const THREAD = { cpu: 2, cpuLastSeen: 2, involuntarySwitches: 3, voluntarySwitches: 0, minorFaults: 0, majorFaults: 0 };
const RESULT = {
  calibration: { startHz: 2.5e9, endHz: 2.5e9, ppm: 0.1, errorPpm: 0.2 },
  // 10 ms after the epoch.
  startTicks: `${2n ** 60n + 25_000_000n}`,
  threads: [THREAD],
  cpuLastSeen: [2],
  involuntarySwitches: 3,
  voluntarySwitches: 0,
  minorFaults: 0,
  majorFaults: 0,
  lost: {},
};

const BLOCK: Omit<Block, 'startNs'> = {
  block: 0,
  durationNs: 1e9,
  count: 2,
  minNs: 2_000,
  maxNs: 500_000_000,
  sumNs: 500_002_000,
  buckets: Uint32Array.of(2000, 20_000),
  counts: Uint32Array.of(1, 1),
};

function assemble(meta: object = {}, result: object = {}): ProbeRun {
  const assembly = new RunAssembly();
  assembly.add({ type: 'meta', json: { ...META, ...meta } });
  assembly.add({ type: 'block', stream: 0, startRawNs: 2n ** 55n + 10_000_000n, block: BLOCK });
  assembly.add({ type: 'block', stream: 0, startRawNs: 2n ** 55n + 1_010_000_000n, block: { ...BLOCK, block: 1 } });
  assembly.add({ type: 'gaps', stream: 0, gaps: { starts: BigUint64Array.of(5n), ends: BigUint64Array.of(9n) } });
  assembly.add({ type: 'gaps', stream: 0, gaps: { starts: BigUint64Array.of(11n), ends: BigUint64Array.of(12n) } });
  assembly.add({ type: 'result', json: { ...RESULT, ...result } });
  return assembly.finish() as ProbeRun;
}

const kinds = ({ findings }: ProbeReport, only?: 'invalid') =>
  findings.filter(({ invalidates }) => only === undefined || invalidates).map(({ kind }) => kind);

const VARIANT: Variant = { name: 'v', cpus: [2], spins: true, policy: 'other', options: {} };

describe('a run', () => {
  test('has its blocks in time from its start, exactly, however long the machine is up', () => {
    expect(assemble().streams[0]?.blocks.map(({ startNs }) => startNs)).toEqual([0, 1_000_000_000]);
  });

  test('has its gaps in one list', () => {
    expect(assemble().streams[0]?.gaps).toEqual({
      starts: BigUint64Array.of(5n, 11n),
      ends: BigUint64Array.of(9n, 12n),
    });
  });

  test('ticks before the epoch are times too', () => {
    expect(rawNsAt(assemble().meta.clock, 2n ** 60n - 2_500n)).toBe(2n ** 55n - 1_000n);
  });

  test('is none without RESULT', () => {
    const assembly = new RunAssembly();
    assembly.add({ type: 'meta', json: META });
    expect(assembly.finish()).toBeUndefined();
  });

  test('frames in an order that cannot be are refused', () => {
    const meta = { type: 'meta', json: META } as const;
    const result = { type: 'result', json: RESULT } as const;
    const block = { type: 'block', stream: 0, startRawNs: 0n, block: BLOCK } as const;
    for (const frames of [[block], [meta, meta], [meta, result, block], [meta, { ...block, stream: 7 }]]) {
      const assembly = new RunAssembly();
      expect(() => frames.map((frame) => assembly.add(frame))).toThrow(BadFrame);
    }
  });

  test.each([
    [{ clock: { ...CLOCK, hz: 0 } }, {}, /META of hft-probe: clock.hz/],
    [{ format: 2 }, {}, /META of hft-probe: format/],
    [{ streams: [] }, {}, /streams/],
    [{}, { startTicks: 5 }, /RESULT of hft-probe: startTicks/],
    [{}, { threads: [{}] }, /RESULT of hft-probe: threads.0.cpu/],
  ])('META and RESULT must be as expected: %j %j', (meta, result, says) => {
    expect(() => assemble(meta, result)).toThrow(BadReport);
    expect(() => assemble(meta, result)).toThrow(says);
  });
});

describe('findings', () => {
  test('a clean run has none', () => {
    expect(jitter.report(assemble(), VARIANT).findings).toEqual([]);
  });

  test.each([
    ['cut', {}, { cut: 'deadline' }],
    ['clock-drift', {}, { calibration: { ...RESULT.calibration, ppm: -1.3 } }],
    ['clock-backwards', {}, { backwards: 1 }],
    ['wrong-cpu', {}, { threads: [{ ...THREAD, cpuLastSeen: 1 }] }],
    ['wrong-cpu', {}, { misplaced: 2 }],
  ])('%s: nothing is judged', (kind, meta, result) => {
    expect(kinds(jitter.report(assemble(meta, result), VARIANT), 'invalid')).toEqual([kind]);
  });

  test('a drift within what the calibration can be off is none', () => {
    const calibration = { ...RESULT.calibration, ppm: 1.19 };
    expect(kinds(jitter.report(assemble({}, { calibration }), VARIANT))).toEqual([]);
  });

  test.each([
    ['control-shared', { controlShared: true }, {}],
    ['memory-unlocked', { memoryLocked: false, whyUnlocked: 'limit' }, {}],
    ['page-faults', {}, { minorFaults: 1 }],
    ['clock-raw', { clock: { ...CLOCK, source: 'raw', whyRaw: 'no constant_tsc' } }, {}],
    ['gaps-lost', {}, { lost: { gaps: 9, gapsOverrun: 4 } }],
    ['clock-slow', { thresholdNs: 4001, askedThresholdNs: 1000 }, {}],
  ])('%s: said, and judged all the same', (kind, meta, result) => {
    const report = jitter.report(assemble(meta, result), VARIANT);
    expect(kinds(report)).toEqual([kind]);
    expect(kinds(report, 'invalid')).toEqual([]);
  });

  const shmMeta = {
    direction: 'one-way',
    payloadBytes: 64,
    wait: 'spin',
    rateHz: 1000,
    skew: { offsetNs: 1, errorNs: 9, lowNs: -8, highNs: 10 },
  };
  test.each([
    ['rate-not-kept', shmMeta, { unsent: 2 }],
    ['messages-damaged', shmMeta, { damaged: 1 }],
    ['messages-dropped', shmMeta, { sent: 10, dropped: 1 }],
    ['clock-skew', shmMeta, { negative: 1 }],
    ['clock-skew', { ...shmMeta, skew: { ...shmMeta.skew, lowNs: 11 } }, {}],
    ['clock-skew', { ...shmMeta, skew: undefined }, {}],
  ])('shm: %s: nothing is judged', (kind, meta, result) => {
    expect(kinds(shm.report(assemble(meta, result), VARIANT), 'invalid')).toEqual([kind]);
  });

  test('shm: round trips do not need the skew', () => {
    expect(
      kinds(shm.report(assemble({ ...shmMeta, direction: 'round-trip', skew: undefined }, { unsent: 1 }), VARIANT)),
    ).toEqual([]);
  });

  test('wakeup: overdue periods are told', () => {
    expect(kinds(wakeup.report(assemble({ periodNs: 1000 }, { overdue: 4 }), VARIANT))).toEqual(['periods-overdue']);
  });
});

test('jitter: rates and shares are of the time that was watched', () => {
  const [cpu] = jitter.report(assemble(), VARIANT).cpus;
  expect(cpu).toMatchObject({ cpu: 2, exposureNs: 2e9, gapCount: 4, gapsPerSecond: 2, maxNs: 500_000_000 });
  expect(cpu?.stolenShare).toBeCloseTo(0.500002, 9);
});

test('core-to-core: pairs with their skew, undefined for what was not reached', () => {
  const streams = [
    { id: 0, name: 'round-trip', cpu: 2, peer: 3, unit: 'ns', what: 'x' },
    { id: 1, name: 'round-trip', cpu: 2, peer: 4, unit: 'ns', what: 'x' },
  ];
  const skew = { offsetNs: 0, errorNs: 20, lowNs: -15, highNs: 12 };
  const report = coreToCore.report(assemble({ streams }, { pairs: [{ stream: 0, cpu: 2, peer: 3, skew }] }), VARIANT);
  expect(report.pairs).toEqual([
    { cpu: 2, peer: 3, roundTrip: { minNs: 2_000, count: 4 }, skew },
    { cpu: 2, peer: 4, roundTrip: { minNs: Number.POSITIVE_INFINITY, count: 0 }, skew: undefined },
  ]);
  expect(report.measures.map(({ cpus, direction, rule }) => ({ cpus, direction, rule }))).toEqual([
    { cpus: [2, 3], direction: 'round-trip', rule: 'closed' },
    { cpus: [2, 4], direction: 'round-trip', rule: 'closed' },
  ]);
});
