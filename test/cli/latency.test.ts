import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writesOf } from '../processes.ts';
import { buildWhenStale, cleanEnvironment, HFT, ROOT, runShell, transcribe } from './run-hft.ts';

beforeAll(buildWhenStale);

test('help and mistakes', async () => {
  const lines = [
    'hft verify latency --help',
    'hft verify latency --probe jiter',
    'hft verify latency --suite medium',
    'hft verify latency --duration soon',
    'hft verify latency --duration 0s',
    'hft verify latency --cpus 2..5',
    'hft verify latency --cpus none',
    'hft verify latency --scheduler fifo:50',
    'hft verify latency --scheduler fifo --probe shm',
    'hft verify latency --load network,housekeeping',
    'hft verify latency --hdr /proc/nowhere/run.hlog',
    'hft verify latency --profile nowhere',
  ];
  const text = transcribe(lines).replaceAll(/no CPU of \S+ is/g, 'no CPU of HOST is');
  await expect(text).toMatchFileSnapshot('transcripts/latency.txt');
});

/** What holds on any machine, however busy: one second of real measuring. */
test('a real run', () => {
  const { stdout, stderr, exitCode } = runShell(
    'hft verify latency --profile workstation --probe wakeup --duration 1s --json',
  );
  expect(stderr).toBe('');
  const { profile, probes, floor, notMeasured, cut, disturbances, explainedFraction } = JSON.parse(stdout);
  expect({ cut, disturbances, explainedFraction }).toEqual({ cut: false, disturbances: [], explainedFraction: null });
  expect(profile).toMatchObject({ name: 'workstation', why: null });
  expect(floor.quantumNs).toBeGreaterThan(0);
  const [row] = probes;
  expect(row).toMatchObject({
    name: 'wakeup',
    direction: 'none',
    load: 'none',
    wait: 'sleep',
    rule: 'open',
    unit: 'ns',
  });
  expect(row.pacing).toEqual({ kind: 'periodic', periodNs: 500_000 });
  // The rule of three of 1 s, and a second is too short for one in ten thousand.
  expect(row.unseenPerSecondMax).toBeLessThan(3.1);
  expect(row.percentiles['p99.99']).toBeNull();
  expect(row.percentiles.max).toBeGreaterThan(0);
  expect(row.beside).toMatchObject({ rule: 'service' });
  expect(row.beside.samples).toBeLessThanOrEqual(row.samples);
  expect(row.target).toMatchObject({ name: 'wakeup', p50: 100_000 });
  expect([1, 6]).toContain(exitCode);
  expect(notMeasured.map(({ target }: { target: string }) => target)).toContain('redis-get');
});

test('Ctrl-C shows what was measured, and leaves no process', async () => {
  const environment = cleanEnvironment();
  const hft = spawn(HFT, ['verify', 'latency', '--probe', 'wakeup', '--duration', '60s', '--json'], {
    env: environment,
  });
  const output: Buffer[] = [];
  hft.stdout.on('data', (piece: Buffer) => output.push(piece));
  const ended = new Promise<number | null>((resolve) => hft.once('close', resolve));
  const childOf = () => runShell(`pgrep -P ${hft.pid} -f 'hft-probe wakeup'`).stdout.trim();
  await expect.poll(childOf, { timeout: 60_000, interval: 50 }).not.toBe('');
  const probe = childOf();
  // META and some blocks, after the warm-up.
  await expect.poll(() => writesOf(Number(probe)), { timeout: 60_000, interval: 50 }).toBeGreaterThan(20);
  hft.kill('SIGINT');
  expect(await ended).toBe(6);
  const { cut, probes } = JSON.parse(Buffer.concat(output).toString());
  expect(cut).toBe(true);
  expect(probes[0].samples).toBeGreaterThan(0);
  expect(runShell(`kill -0 ${probe} 2>/dev/null; echo $?`).stdout).toBe('1\n');
}, 180_000);

test('an hft that was built without a C compiler says what is missing', () => {
  const installed = mkdtempSync(join(tmpdir(), 'hft-no-probe-'));
  try {
    for (const name of ['bin', 'dist', 'profiles', 'package.json', 'oclif.manifest.json']) {
      cpSync(join(ROOT, name), join(installed, name), { recursive: true });
    }
    rmSync(join(installed, 'dist/hft-probe'));
    const line = `${process.execPath} ${installed}/bin/run.cjs verify latency --probe wakeup --duration 1s --json`;
    const { stdout, exitCode } = runShell(line);
    expect(exitCode).toBe(6);
    const [first] = JSON.parse(stdout).notMeasured;
    expect(first).toMatchObject({ probe: 'wakeup', need: expect.stringContaining('gcc') });
  } finally {
    rmSync(installed, { recursive: true });
  }
});
