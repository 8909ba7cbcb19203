import { describe, expect, test } from 'vitest';
import { Histogram } from '../../../src/latency/histogram/histogram.ts';
import { readHdrLog } from '../../../src/latency/histogram/log-read.ts';
import { type LoggedInterval, writeHdrLog } from '../../../src/latency/histogram/log-write.ts';
import { ingestExitCode, judgeLog } from '../../../src/latency/ingest/ingested.ts';
import { seededRandom } from '../../../src/latency/statistics/random.ts';
import type { Target } from '../../../src/latency/targets/target.ts';
import { viewIngested } from '../../../src/views/latency-ingest.ts';
import { intervalsOf } from './runs.ts';

const START_S = 1_790_000_000;
const ROW: Target = { name: 'risk-check', probe: 'pipeline', load: 'none', p50: 3000, p99: 5000 };

function judge(intervals: readonly LoggedInterval[], target: Target | undefined = ROW, unit: 'ns' | 'us' = 'ns') {
  const log = readHdrLog(writeHdrLog(intervals, START_S), { file: 'app.hlog', unitNs: unit === 'us' ? 1000 : 1 });
  return judgeLog(log, { file: 'app.hlog', unit, profile: 'colo', targetFor: () => target });
}

const stream = (more: object = {}) => intervalsOf(seededRandom(1), { startEpochS: START_S, seconds: 40, ...more });

describe('a log is judged', () => {
  test('by its intervals, as blocks', () => {
    const result = judge(stream());
    const [row] = result.rows;
    expect([row?.verdict, ingestExitCode(result)]).toEqual(['pass', 0]);
    expect(row?.percentiles.p50).toBeGreaterThan(1900);
    expect(row?.interval.p50.lower).toBeLessThan(row?.percentiles.p50 ?? 0);
    expect(row).toMatchObject({ tag: null, samples: 20_000, intervals: 40, durationS: 40, unit: 'ns' });
    // Two samples lie beyond one in ten thousand.
    expect(row?.percentiles['p99.99']).toBeNull();
  });

  test('missed when the whole interval is above', () => {
    const result = judge(stream({ middleNs: 4000 }));
    expect([result.rows[0]?.verdict, ingestExitCode(result)]).toEqual(['fail', 1]);
  });

  test('in the unit that was stated, whose step is the least that can be met', () => {
    const result = judge(stream({ middleNs: 2 }), ROW, 'us');
    expect(result.rows[0]).toMatchObject({ floorNs: 1000, percentiles: { p50: 2000 }, verdict: 'pass' });
    expect(result.caveats.at(-1)).toContain('may be up to 1 us longer');
    const fine = judge(stream({ middleNs: 2 }), { ...ROW, p50: 500 }, 'us');
    expect(fine.rows[0]?.verdict).not.toBe('pass');
  });

  test('by no row when none is for it', () => {
    const log = readHdrLog(writeHdrLog(stream(), START_S), { file: 'app.hlog' });
    const result = judgeLog(log, { file: 'app.hlog', unit: 'ns', profile: undefined, targetFor: () => undefined });
    expect([result.rows[0]?.verdict, ingestExitCode(result), result.summary.notJudged]).toEqual([null, 0, 1]);
  });
});

describe('too few intervals', () => {
  test.each([
    [1, 'the log has one interval'],
    [15, 'the log has 15 intervals'],
  ])('%i: no interval, no verdict, and the samples as they are', (seconds, why) => {
    const result = judge(stream({ seconds, perSecond: 40_000 / seconds }));
    const [row] = result.rows;
    expect([row?.verdict, ingestExitCode(result)]).toEqual(['inconclusive', 6]);
    expect(row?.percentiles).toMatchObject({ p50: null, p99: null });
    expect(row?.notAvailable.p50).toContain(why);
    expect(row?.judgements.p50).toMatchObject({ verdict: 'inconclusive', decidesAfterS: null });
    expect(row?.ofTheseSamples.p50).toBeGreaterThan(1900);
    expect(viewIngested(result, { columns: 80, color: false })).toContain('of the samples');
  });

  test('a log of empty intervals has no samples', () => {
    const empty = [{ startEpochS: START_S, durationNs: 1e9, histogram: new Histogram() }];
    const result = judge(empty);
    expect([result.rows[0]?.verdict, result.rows[0]?.samples, ingestExitCode(result)]).toEqual(['inconclusive', 0, 6]);
  });
});

test.each([80, 200])('the text keeps to %i columns', async (columns) => {
  const tagged = [...stream({ tag: 'orders' }), ...stream({ tag: 'risk', seconds: 1 }), ...stream({ middleNs: 9000 })];
  const text = viewIngested(judge(tagged), { columns, color: false });
  expect(text.split('\n').filter((line) => line.length > columns)).toEqual([]);
  await expect(`${text}\n`).toMatchFileSnapshot(`recorded/ingest-${columns}.txt`);
});
