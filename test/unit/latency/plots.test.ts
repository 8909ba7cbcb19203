import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coreToCore } from '../../../src/latency/core-to-core/core-to-core.ts';
import { Histogram } from '../../../src/latency/histogram/histogram.ts';
import { jitter } from '../../../src/latency/jitter/jitter.ts';
import type { Probe } from '../../../src/latency/probe/probe.ts';
import type { ProbeRun } from '../../../src/latency/probe/run.ts';
import { BINS_PER_DECADE, binsOf, curveOf } from '../../../src/latency/report/curve.ts';
import { plotMeasurements } from '../../../src/latency/report/plots.ts';
import { parseRecord, parseVerdict, printRecord } from '../../../src/latency/report/record.ts';
import { latencyExceedances } from '../../../src/latency/statistics/exceedances.ts';
import { wakeup } from '../../../src/latency/wakeup/wakeup.ts';
import { makeRun } from '../views/report/made-run.ts';
import { sampleRecord } from '../views/report/sample.ts';

const samples = fc.array(fc.integer({ min: 1, max: 1e10 }), { minLength: 1, maxLength: 300 });

function exceedancesOf(values: readonly number[]) {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return { histogram, exceedances: latencyExceedances([histogram.toBlock({ startNs: 0, durationNs: 1e8 })]) };
}

describe('a curve', () => {
  test('is the quantiles of the histogram, up to the exact maximum', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const { histogram, exceedances } = exceedancesOf(values);
        const curve = curveOf(exceedances, histogram.maxNs);
        for (const [above, ns] of curve.slice(0, -1)) {
          // As many as that share allows lie above, and below the value before it there are more.
          const higher = values.filter((value) => value > ns).length;
          expect(higher).toBeLessThanOrEqual(above * values.length * 1.001);
        }
        expect(curve.at(-1)?.[1]).toBe(histogram.maxNs);
        expect(curve.map(([, ns]) => ns)).toEqual(curve.map(([, ns]) => ns).toSorted((a, b) => a - b));
      }),
    );
  });

  test('has P50 and P90 of known samples where they are', () => {
    const { exceedances } = exceedancesOf(Array.from({ length: 1000 }, (_, index) => index + 1));
    const curve = curveOf(exceedances, 1000);
    expect(curve.find(([above]) => above === 0.1)?.[1]).toBe(900);
    expect(curve.find(([above]) => above === 0.01)?.[1]).toBe(990);
    expect(curve.at(-1)).toEqual([0.001, 1000]);
  });

  test('has few points, however many samples', () => {
    const histogram = new Histogram();
    for (let ns = 10; ns < 1e10; ns *= 1.05) histogram.record(Math.round(ns), 1e9);
    histogram.record(1e11);
    const exceedances = latencyExceedances([histogram.toBlock({ startNs: 0, durationNs: 1e8 })]);
    const curve = curveOf(exceedances, histogram.maxNs);
    expect(curve.length).toBeLessThanOrEqual(86);
    expect(curve.at(-1)?.[1]).toBe(1e11);
  });
});

test('bins hold each sample once, at its latency', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const { histogram, exceedances } = exceedancesOf(values);
      const { first, shares } = binsOf(exceedances, histogram.maxNs);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 1);
      const lowest = Math.floor(Math.log10(Math.min(...values)) * BINS_PER_DECADE);
      // A bucket may lie across the border of two bins.
      expect(Math.abs(first - lowest)).toBeLessThanOrEqual(1);
      expect(shares[0]).toBeGreaterThan(0);
      expect(shares.at(-1)).toBeGreaterThan(0);
    }),
  );
});

const plot = (probe: Probe, run: ProbeRun, cpus: readonly number[]) => {
  const variant = { name: '', cpus, spins: true, policy: 'other', options: {} } as const;
  return plotMeasurements([{ probe, variant, measured: { status: 'measured', run }, startedEpochS: 0 }]);
};

describe('maxima over time', () => {
  const streams = [{ name: 'wakeup', cpu: 2 }];
  const stallAt = (at: number) => (_random: () => number, _stream: number, block: number) =>
    block === at ? 7e6 : 2000;

  test('of a short run are those of its blocks', () => {
    const run = makeRun({ probe: 'wakeup', streams, blocks: 30, samplesPerBlock: 2, sampleNs: stallAt(11) });
    const [series] = plot(wakeup, run, [2]).series;
    expect(series?.maxima.stepS).toBe(0.1);
    expect(series?.maxima.maxNs).toHaveLength(30);
    expect(series?.maxima.maxNs.indexOf(7e6)).toBe(11);
  });

  test('of a day are at most 300 and lose none', () => {
    const day = { blocks: 1440, blockNs: 60e9, samplesPerBlock: 1 };
    const run = makeRun({ probe: 'wakeup', streams, ...day, sampleNs: stallAt(720) });
    const [series] = plot(wakeup, run, [2]).series;
    const { stepS, maxNs } = series?.maxima ?? { stepS: 0, maxNs: [] };
    expect(maxNs.length).toBeLessThanOrEqual(300);
    expect(stepS * maxNs.length).toBeGreaterThanOrEqual(86_400);
    expect(Math.floor(43_200 / stepS)).toBe(maxNs.indexOf(7e6));
  });

  test('are empty where nothing was sampled', () => {
    const run = makeRun({ probe: 'wakeup', streams, blocks: 3, samplesPerBlock: 0, sampleNs: () => 0 });
    expect(plot(wakeup, run, [2]).series).toEqual([]);
  });
});

test('a run without a gap has nothing to draw but its floor', () => {
  const streams = [{ name: 'gap', cpu: 2 }];
  const meta = { thresholdNs: 1000 };
  const run = makeRun({ probe: 'jitter', streams, meta, blocks: 10, samplesPerBlock: 0, sampleNs: () => 0 });
  const [series] = plot(jitter, run, [2]).series;
  expect(series).toMatchObject({ quantity: 'delay', floorNs: 1000, bins: { shares: [] } });
  expect(series?.curve.every(([, ns]) => ns === 0)).toBe(true);
});

test('of many CPUs the worst are kept, and how many there are', () => {
  const cpus = Array.from({ length: 20 }, (_, index) => index);
  const streams = cpus.map((cpu) => ({ name: 'wakeup', cpu }));
  const sampleNs = (_: () => number, stream: number) => 1000 + ((stream * 7) % 20) * 100;
  const { series } = plot(wakeup, makeRun({ probe: 'wakeup', streams, blocks: 2, samplesPerBlock: 3, sampleNs }), cpus);
  expect(series.map((each) => each.outOf)).toEqual([20, 20, 20, 20, 20, 20]);
  const worst = [...cpus].sort((one, other) => ((other * 7) % 20) - ((one * 7) % 20)).slice(0, 6);
  expect(series.flatMap((each) => each.cpus).sort()).toEqual(worst.sort());
});

test('the matrix of medians is symmetric, with nothing on its diagonal', () => {
  const pairs = [
    [2, 3],
    [2, 5],
    [3, 5],
  ] as const;
  const streams = pairs.map(([cpu, peer]) => ({ name: 'rtt', cpu, peer }));
  const sampleNs = (_: () => number, stream: number) => 100 * (stream + 1);
  const run = makeRun({ probe: 'core-to-core', streams, blocks: 2, samplesPerBlock: 5, sampleNs });
  expect(plot(coreToCore, run, [2, 3, 5]).matrices).toEqual([
    {
      variant: '',
      cpus: [2, 3, 5],
      medianNs: [
        [null, 100, 200],
        [100, null, 300],
        [200, 300, null],
      ],
    },
  ]);
});

describe('a record', () => {
  const record = sampleRecord({ cpus: [2], blocks: 5 });

  test('is read as it was kept, and its verdict without it', () => {
    const printed = printRecord(record);
    expect(parseRecord(printed)).toEqual(JSON.parse(JSON.stringify(record)));
    const { time, result } = record;
    expect(parseVerdict(printed)).toEqual({ time, profile: 'colo', cut: false, summary: result.summary });
  });

  test.each([
    ['nothing', ''],
    ['another format', printRecord(record).replace('{"format":1', '{"format":2')],
    ['a file that is not one', 'hello\nworld\n'],
  ])('%s is none', (_, printed) => {
    expect([parseRecord(printed), parseVerdict(printed)]).toEqual([undefined, undefined]);
  });
});
