import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeHdrLog } from '../../src/latency/histogram/log-write.ts';
import { seededRandom } from '../../src/latency/statistics/random.ts';
import { intervalsOf } from '../unit/latency/runs.ts';
import { buildWhenStale, cleanEnvironment, runShell, transcribe } from './run-hft.ts';

beforeAll(buildWhenStale);

const START_S = 1_790_000_000;
const HOUR_S = 3600;

/** Logs of an application: one run of `before` and `after` each, and folders of runs that alternate and that do not. */
function writeLogs(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hft-compare-'));
  const write = (file: string, hour: number, middleNs: number) => {
    const startEpochS = START_S + hour * HOUR_S;
    const tagged = ['orders', 'risk-check'].flatMap((tag, i) =>
      intervalsOf(seededRandom(hour * 2 + i), { tag, startEpochS, middleNs }),
    );
    writeFileSync(join(folder, file), writeHdrLog(tagged, startEpochS));
  };
  for (const name of ['stock', 'slow', 'later']) mkdirSync(join(folder, name));
  for (let i = 0; i < 4; i++) {
    write(`stock/${i}.hlog`, 2 * i, 2000);
    write(`slow/${i}.hlog`, 2 * i + 1, 3000);
    write(`later/${i}.hlog`, 10 + i, 3000);
  }
  write('before.hlog', 0, 2000);
  write('after.hlog', 1, 1000);
  writeFileSync(join(folder, 'text.hlog'), 'no log\n');
  writeFileSync(join(folder, 'torn.hlog'), `${writeHdrLog([], START_S)}0.0,1.0,0.002,HISTFAAA\n`);
  mkdirSync(join(folder, 'empty'));
  return folder;
}

test('compare', async () => {
  const lines = [
    'hft verify latency compare --help',
    'hft verify latency compare',
    'hft verify latency compare --json',
    'hft verify latency compare stock',
    'hft verify latency compare ./before.hlog nowhere',
    'hft verify latency compare ./before.hlog ./nowhere.hlog',
    'hft verify latency compare ./before.hlog ./text.hlog',
    'hft verify latency compare ./before.hlog ./torn.hlog',
    'hft verify latency compare ./before.hlog ./empty',
    'hft verify latency compare ./before.hlog ./before.hlog',
    'hft verify latency compare before.hlog after.hlog',
    'hft verify latency compare before.hlog after.hlog --abab',
    'hft verify latency compare ./stock ./slow --abab',
    'COLUMNS=120 hft verify latency compare ./slow ./stock --abab --unit us',
    'hft verify latency compare ./stock ./later --abab',
    'hft verify latency compare ./stock ./slow --tolerance much',
    'hft verify latency compar stock slow',
  ];
  await expect(transcribe(lines, { cwd: writeLogs() })).toMatchFileSnapshot('transcripts/latency-compare.txt');
});

test('compare --json', () => {
  const { stdout, exitCode } = runShell('hft verify latency compare ./stock ./slow --json', { cwd: writeLogs() });
  const { answer, order, pairs, rows, summary, before } = JSON.parse(stdout);
  expect({ exitCode, answer, order, pairs }).toEqual({ exitCode: 1, answer: 'worse', order: 'ABABABAB', pairs: 4 });
  expect(before.runs[0]).toEqual({ run: './stock/0.hlog', time: '2026-09-21T14:13:20.000Z', compared: true });
  expect(rows.map(({ row }: { row: string }) => row)).toEqual(['orders', 'risk-check']);
  expect(rows[0].quantiles.p50).toMatchObject({ verdict: 'worse', intervalFrom: 'runs', probability: 2 / 70 });
  expect(summary.worse).toBe(6);
});

test('ingest', async () => {
  const lines = [
    'hft verify latency --profile colo --ingest before.hlog',
    'COLUMNS=200 hft verify latency --profile colo --ingest before.hlog --as orders=order-submission',
    'hft verify latency --profile colo --ingest before.hlog --as risk-check --unit us',
    'hft verify latency --ingest before.hlog',
    'hft verify latency --ingest before.hlog --as risk-check',
    'hft verify latency --profile colo --ingest before.hlog --as risk',
    'hft verify latency --profile colo --ingest before.hlog --as order=risk-check',
    'hft verify latency --profile colo --ingest before.hlog --as wakeup --as jitter',
    'hft verify latency --profile baseline --ingest before.hlog',
    'hft verify latency --profile colo --ingest text.hlog',
    'hft verify latency --profile colo --ingest torn.hlog',
    'hft verify latency --profile colo --ingest nowhere.hlog',
    'hft verify latency --profile colo --ingest empty',
    'hft verify latency --profile colo --ingest text.hlog --json',
    'hft verify latency --ingest before.hlog --duration 3s --cpus 1',
    'hft verify latency --ingest before.hlog --unit s',
    'hft verify latency --as risk-check',
  ];
  await expect(transcribe(lines, { cwd: writeLogs() })).toMatchFileSnapshot('transcripts/latency-ingest.txt');
});

test('mistakes with saved measurements are found before anything is measured', async () => {
  const lines = [
    'hft verify latency --save ../x',
    'hft verify latency --append',
    'hft verify latency --save x --append --force',
    'hft verify latency --baseline x',
    'HFT_STATE_DIR=/proc/nowhere hft verify latency --save x',
  ];
  await expect(transcribe(lines)).toMatchFileSnapshot('transcripts/latency-saved.txt');
});

describe('a real measurement', () => {
  test('is saved, compared with, and copied to another place', () => {
    const environment = cleanEnvironment();
    const run = (line: string) => runShell(line, { environment });
    const measure = 'hft verify latency --probe wakeup --cpus 1 --duration 1s --json';
    const saved = JSON.parse(run(`${measure} --save stock`).stdout);
    expect(saved.saved).toMatchObject({ name: 'stock', runs: 1, error: null });
    expect(run(`${measure} --save stock`)).toMatchObject({ exitCode: 2 });
    const again = JSON.parse(run(`${measure} --save later --baseline stock`).stdout);
    expect(again.baseline).toMatchObject({ name: 'stock', runs: 1, notCompared: [], fingerprint: [] });
    expect(again.probes[0]).toHaveProperty('baseline.difference.p99');
    expect(
      JSON.parse(run('hft verify latency compare --json').stdout).saved.map(({ name }: { name: string }) => name),
    ).toEqual(['later', 'stock']);
    const compared = run('hft verify latency compare stock later --json');
    expect(compared.exitCode).toBe(6);
    expect(JSON.parse(compared.stdout)).toMatchObject({ answer: 'proves nothing', order: 'AB', notCompared: [] });
    const state = environment.HFT_STATE_DIR as string;
    const copied = run(
      `cp -r ${state}/baselines/stock ${state}/copy && hft verify latency compare ${state}/copy later --json`,
    );
    expect(JSON.parse(copied.stdout).rows).toEqual(JSON.parse(compared.stdout).rows);
  });

  test('is shown when it cannot be saved in the end', () => {
    const environment = cleanEnvironment();
    const baselines = join(environment.HFT_STATE_DIR as string, 'baselines');
    mkdirSync(baselines, { recursive: true });
    // A file where the folder of the name is to be.
    writeFileSync(join(baselines, 'stock'), '');
    const { stdout, stderr, exitCode } = runShell(
      'hft verify latency --probe wakeup --cpus 1 --duration 1s --save stock',
      {
        environment,
      },
    );
    expect(exitCode).toBe(3);
    expect(stdout).toContain('wakeup  every 500us');
    expect(stderr).toContain('Not saved: ');
    // Beside the lock that saving takes.
    expect(readdirSync(baselines).filter((name) => !name.startsWith('.'))).toEqual(['stock']);
  });
});
