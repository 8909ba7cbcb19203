import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readMarkup } from '../unit/views/report/read-markup.ts';
import { buildWhenStale, cleanEnvironment, ROOT, runShell, transcribe } from './run-hft.ts';

beforeAll(buildWhenStale);

const SNAPSHOT = `--snapshot ${ROOT}/test/machines/two-socket`;
const textOf = (file: string) => readMarkup(readFileSync(file, 'utf8')).text;

test('help and mistakes', async () => {
  const lines = [
    'hft report --help',
    'hft report --profile nowhere',
    'hft report one.html two.html',
    'hft report --snapshot /nowhere',
    `hft report /proc/nowhere/page.html ${SNAPSHOT}`,
  ];
  await expect(transcribe(lines)).toMatchFileSnapshot('transcripts/report.txt');
});

describe('of a captured machine', () => {
  test('it has the topology, the plan and the settings, and says that nothing was measured', () => {
    const cwd = mkdtempSync(join(tmpdir(), 'hft-report-'));
    const { stdout, stderr, exitCode } = runShell(`hft report --profile colo ${SNAPSHOT}`, { cwd });
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'hft-report-two-socket.html\n', stderr: '', exitCode: 0 });
    const text = textOf(join(cwd, 'hft-report-two-socket.html'));
    expect(text).toContain('CPU topology of two-socket');
    expect(text).toContain('Plan of colo');
    expect(text).toMatch(/irq\.default-affinity/);
    expect(text).toContain('Settings of colo');
    expect(text).toContain('A captured machine cannot be measured');
  });

  test('without a profile it says so', () => {
    const { stdout } = runShell(`hft report --json ${SNAPSHOT}`);
    const { host, plan, verification, latency, file, why } = JSON.parse(stdout);
    expect({ host, plan, verification, latency, file }).toEqual({
      ...{ host: 'two-socket', plan: null, verification: null, latency: null, file: null },
    });
    expect(why.settings).toContain('--profile NAME');
  });

  test('--json writes a page only where a file is named', () => {
    const cwd = mkdtempSync(join(tmpdir(), 'hft-report-'));
    const run = (line: string) => JSON.parse(runShell(line, { cwd }).stdout);
    expect(run(`hft report --json --profile colo ${SNAPSHOT}`).plan.changes.length).toBeGreaterThan(50);
    expect(readdirSync(cwd)).toEqual([]);
    expect(run(`hft report --json page.html ${SNAPSHOT}`).file).toBe('page.html');
    expect(readdirSync(cwd)).toEqual(['page.html']);
  });
});

describe('of this machine', () => {
  const environment = cleanEnvironment();
  const cwd = mkdtempSync(join(tmpdir(), 'hft-report-'));
  const hft = (line: string) => runShell(line, { environment, cwd });

  test('before anything was measured it says what to do', () => {
    expect(hft('hft report first.html').exitCode).toBe(0);
    expect(textOf(join(cwd, 'first.html'))).toContain('Not measured; run `hft verify latency`.');
    expect(JSON.parse(hft('hft status --json').stdout).latency).toBeNull();
  });

  test('the last measurement is in its own page, in the status, and in the report', () => {
    const measured = hft(
      'hft verify latency --probe wakeup --cpus 1 --duration 1s --profile workstation --report now.html --json',
    );
    expect(measured.stderr).toBe('');
    const result = JSON.parse(measured.stdout);
    const own = textOf(join(cwd, 'now.html'));
    for (const part of ['Verdicts', 'wakeup', 'Latency by percentile', 'Maxima over time', result.host]) {
      expect(own).toContain(part);
    }
    expect(JSON.parse(hft('hft status --json').stdout).latency).toMatchObject({
      ...{ profile: 'workstation', cut: false, summary: result.summary },
    });
    expect(hft('hft status').stdout).toMatch(/latency {2}.* against workstation, \d{4}-/);
    const { latency } = JSON.parse(hft('hft report --json last.html').stdout);
    expect(latency.result).toEqual(result);
    expect(textOf(join(cwd, 'last.html'))).toContain('Latency by percentile');
  });

  test('where nothing can be kept, measuring does not fail for that', () => {
    const lines = 'HFT_STATE_DIR=/proc/nowhere hft verify latency --probe wakeup --cpus 1 --duration 1s';
    const { stderr, exitCode } = hft(lines);
    expect(stderr).toBe('Not kept for `hft status` and `hft report`: make /proc/nowhere: ENOENT.\n');
    expect(exitCode).toBe(0);
  });

  test('a page that cannot be written is told before measuring', () => {
    const { stderr, exitCode } = hft('hft verify latency --cpus 1 --duration 1h --report /proc/nowhere/page.html');
    expect({ stderr, exitCode }).toEqual({ stderr: 'make /proc/nowhere: ENOENT\n', exitCode: 3 });
  });
});
