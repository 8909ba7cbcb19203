import { describe, expect, test } from 'vitest';
import { readHdrLog } from '../../../src/latency/histogram/log-read.ts';
import { jitter } from '../../../src/latency/jitter/jitter.ts';
import type { Measured } from '../../../src/latency/probe/measure.ts';
import type { Variant } from '../../../src/latency/probe/probe.ts';
import type { ProbeRun } from '../../../src/latency/probe/run.ts';
import { logMeasurements } from '../../../src/latency/report/hdr-log.ts';
import { type LatencyResult, latencyExitCode, reportLatency } from '../../../src/latency/report/result.ts';
import type { Target } from '../../../src/latency/targets/target.ts';
import { jitterRun } from './jitter-run.ts';

const VARIANT: Variant = { name: '', cpus: [2], spins: true, policy: 'other', options: {} };
function judge(run: ProbeRun, limits: Partial<Target>): LatencyResult {
  const target = { name: 'quiet', probe: 'jitter', load: 'none', ...limits } as Target;
  const profile = { name: 'colo', differs: 0, unread: 0, why: null };
  const cpus = { cpus: [2], why: 'the isolated CPUs' };
  const question = { host: 'box7', profile, targets: [target], cpus, suite: 'quick', hypervisor: undefined } as const;
  const measured: Measured = { status: 'measured', run };
  return reportLatency(question, [{ probe: jitter, variant: VARIANT, measured, startedEpochS: 0 }], []);
}

const firstOf = ({ probes: [row] }: LatencyResult) => {
  if (row === undefined) throw new Error('no row');
  return row;
};

describe('the delay of a random arrival', () => {
  // One gap of 10 ms in 100 ms: P(delay > x) = (10 ms - x) / 100 ms, so P99 is 9 ms.
  const row = firstOf(judge(jitterRun(10_000_000), { p99: 20_000_000 }));

  test('is computed from ticks', () => {
    expect(row.percentiles.p99).toBeGreaterThan(8_990_000);
    expect(row.percentiles.p99).toBeLessThan(9_020_000);
    expect(row.gaps?.stolenShare).toBeCloseTo(0.1, 6);
    expect(row.gaps?.perSecond).toBeCloseTo(10, 6);
    expect(row.verdict).toBe('pass');
  });

  test('is the same from the histograms, when the gaps are not all listed', () => {
    const cut = firstOf(judge(jitterRun(10_000_000, { listed: 40 }), { p99: 20_000_000 }));
    expect(Math.abs((cut.percentiles.p99 ?? 0) - (row.percentiles.p99 ?? 0))).toBeLessThan(20_000);
    expect(cut.gaps?.perSecond).toBeCloseTo(10, 6);
    expect(cut.gaps?.stolenShare).toBeCloseTo(0.1, 3);
  });

  test('has no digits below the step of the clock, and is 0 below what the probe sees', () => {
    expect((row.percentiles.p99 ?? 1) % 10).toBe(0);
    expect(row.percentiles.p50).toBe(0);
    expect(row.floorNs).toBe(1000);
  });
});

test('an HDR log has a line for each second, with every gap in it', () => {
  const measured: Measured = { status: 'measured', run: jitterRun(10_000_000) };
  const text = logMeasurements(
    [{ probe: jitter, variant: VARIANT, measured, startedEpochS: 1_790_000_001 }],
    1_790_000_000,
  );
  const intervals = readHdrLog(text, { file: 'run.hlog' });
  expect(intervals.map(({ tag }) => tag)).toEqual(new Array(10).fill('jitter/cpu2/gaps'));
  expect(intervals.map(({ histogram }) => histogram.count)).toEqual(new Array(10).fill(10));
  expect(intervals[3]?.startEpochS).toBeCloseTo(1_790_000_004, 2);
  expect(intervals[3]?.durationNs).toBe(1_000_000_000);
});

describe('verdicts', () => {
  test.each<[string, Partial<Target>, string]>([
    ['a limit that is met', { p99: 20_000_000 }, 'pass'],
    ['a limit that is missed', { p99: 1_000_000 }, 'fail'],
    ['one met and one missed', { p99: 1_000_000, 'p99.9': 20_000_000 }, 'fail'],
    ['a limit below what the probe sees', { p50: 500 }, 'inconclusive'],
  ])('%s', (_, limits, verdict) => {
    const result = judge(jitterRun(10_000_000), limits);
    expect(firstOf(result).verdict).toBe(verdict);
    expect(latencyExitCode(result)).toBe({ pass: 0, fail: 1, inconclusive: 6 }[verdict]);
  });

  test.each([
    ['a cut run', { cut: 'SIGTERM' }, /ended early/],
    ['a clock that drifted', { calibration: { startHz: 2.5e9, endHz: 2.5e9, ppm: 40, errorPpm: 0.2 } }, /40.00 ppm/],
    ['a clock that went backwards', { backwards: 3 }, /backwards 3 times/],
  ])('%s is shown and not judged, missed limit or not', (_, result, why) => {
    const judged = judge(jitterRun(10_000_000, { result }), { p99: 1 });
    const row = firstOf(judged);
    expect(row.verdict).toBeNull();
    expect(row.judgements.p99).toBeNull();
    expect(row.notJudged).toMatch(why);
    expect(row.percentiles.p99).toBeGreaterThan(0);
    expect(latencyExitCode(judged)).toBe(6);
  });

  test('a row that nothing fits is not measured, and says so', () => {
    const result = judge(jitterRun(10_000_000), { policy: 'fifo:1', p99: 1 });
    expect(firstOf(result).verdict).toBeNull();
    expect(result.notMeasured).toMatchObject([
      { target: 'quiet', reason: expect.stringContaining('None of its measurements') },
    ]);
    expect(latencyExitCode(result)).toBe(6);
  });
});
