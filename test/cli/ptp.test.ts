import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildWhenStale, runShell, transcribe } from './run-hft.ts';

beforeAll(buildWhenStale);

test('verify ptp: help and mistakes', async () => {
  const lines = [
    'hft verify ptp --help',
    'hft verify ptp --limit 100',
    'hft verify ptp --limit 0ns --json',
    'hft verify ptp --grandmaster EC:46:70',
    'hft verify ptp --domain 24',
    'hft verify ptp --timescale tai',
    'hft verify ptp --watch --duration 5s',
    'hft verify ptp --check-evidence',
  ];
  await expect(transcribe(lines)).toMatchFileSnapshot('transcripts/ptp.txt');
});

test('a profile with mistakes in its ptp part, and one that is right', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hft-ptp-profile-'));
  writeFileSync(
    join(folder, 'wrong.yaml'),
    'name: wrong\nptp:\n  profile: g8275.1\n  domain: 0\n  transport: udpv4\n  interface: eth0\n',
  );
  writeFileSync(
    join(folder, 'unknown.yaml'),
    'name: unknown\nptp:\n  profile: telecom\n  timestamps: on\n  servo: { step: often }\n',
  );
  writeFileSync(
    join(folder, 'right.yaml'),
    'name: right\nptp:\n  interfaces: [trading, ens1f1]\n  profile: enterprise\n',
  );
  const lines = ['wrong', 'unknown', 'right'].map((name) => `hft profile validate ${name}.yaml`);
  await expect(transcribe(lines, { cwd: folder })).toMatchFileSnapshot('transcripts/ptp-profiles.txt');
});

test('where nothing can answer, nothing passes, and the JSON is whole', () => {
  const { stdout, exitCode } = runShell('hft verify ptp --json --duration 1s --socket /nonexistent/ptp4l --domain 3');
  const report = JSON.parse(stdout);
  expect(exitCode).toBe(1);
  expect(report.clocks).toMatchObject([{ socket: '/nonexistent/ptp4l', domain: 3, state: null }]);
  expect(report.results.find(({ id }: { id: string }) => id.startsWith('ptp.daemon@'))).toMatchObject({
    actual: 'answered 0 of 2 times',
  });
  expect(report.summary.fail + report.summary.unknown).toBeGreaterThan(0);
});
