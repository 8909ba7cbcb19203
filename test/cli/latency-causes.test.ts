import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { writesOf } from '../processes.ts';
import { CPUS, compileTestProgram, makeFolder } from '../unit/latency/program.ts';
import { AT, inNamespace, inTracefs, whyNoTracing } from './private-tracefs.ts';
import { buildWhenStale, cleanEnvironment, HFT, ROOT, runShell } from './run-hft.ts';

/**
 * Causes on the kernel at hand, as root and in a mount namespace with a tracefs of its own: what a planted thread takes is named,
 * and whatever is killed leaves nothing. Skipped, and said so, where the kernel or the rights are missing.
 */
const reason = whyNoTracing();
const folder = makeFolder();
let thief: string;
beforeAll(() => {
  buildWhenStale();
  if (reason === undefined) thief = compileTestProgram('thief', folder.path);
});
afterAll(() => folder.remove());

const cpu = CPUS.at(-1) as number;

/** META and the first blocks. */
const BLOCKS = 20;

/** As hft itself, under its pid. */
function startHft(flags: string): ChildProcess {
  const [program, ...rest] = inTracefs(`exec ${HFT} verify latency --probe jitter --cpus ${cpu} --json ${flags}`);
  return spawn(program, rest, { cwd: ROOT, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Instances have no mount: those of other runs on this machine are seen too. */
const instancesOf = ({ pid }: ChildProcess) =>
  inNamespace(`ls ${AT}/instances`)
    .stdout.split('\n')
    .filter((name) => new RegExp(`^hft-\\d+-${pid}-`).test(name));

const childrenOf = ({ pid }: ChildProcess, name: string) =>
  runShell(`pgrep -P ${pid} -f 'hft-probe ${name}'`)
    .stdout.split('\n')
    .filter((line) => line !== '');

const isRunning = (pid: string) => runShell(`kill -0 ${pid} 2>/dev/null; echo $?`).stdout === '0\n';

async function untilMeasuring(hft: ChildProcess): Promise<readonly string[]> {
  await expect.poll(() => childrenOf(hft, 'jitter'), { timeout: 60_000, interval: 50 }).toHaveLength(1);
  expect(instancesOf(hft)).toHaveLength(1);
  return ['jitter', 'keep-trace'].flatMap((name) => childrenOf(hft, name));
}

async function resultOf(hft: ChildProcess) {
  const pieces: Buffer[] = [];
  hft.stdout?.on('data', (piece: Buffer) => pieces.push(piece));
  await once(hft, 'close');
  return JSON.parse(Buffer.concat(pieces).toString());
}

describe.skipIf(reason !== undefined)(`on this kernel${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  test('what a planted thread takes is named, with the setting that keeps it away', async () => {
    const planted = spawn(thief, [`${cpu}`], { stdio: 'ignore' });
    onTestFinished(() => void planted.kill('SIGKILL'));
    const hft = startHft('--duration 2s');
    const { attribution, disturbances, explainedFraction, gaps, probes } = await resultOf(hft);
    expect(['A', 'B']).toContain(attribution.tier);
    const named = disturbances.find(({ cause }: { cause: string }) => cause === 'thief');
    expect(named).toMatchObject({ kind: 'thread', cpus: [cpu], explained: true, fix: 'isolation.isolcpus' });
    // 200 us each, whatever else ran: a part of one may lie outside of the measured time.
    expect(named.totalNs / named.count).toBeGreaterThan(50_000);
    expect(explainedFraction).toBeGreaterThan(0);
    expect(explainedFraction).toBeLessThanOrEqual(1);
    const { explainedNs, stolenNs, unexplained } = attribution;
    const parts = Object.values(unexplained as Record<string, number>).reduce((sum, each) => sum + each, explainedNs);
    expect(parts / stolenNs).toBeCloseTo(1, 6);
    expect(gaps.some(({ cause }: { cause: string }) => cause === 'thief')).toBe(true);
    expect(gaps.every(({ atS }: { atS: number }) => atS >= 0 && atS <= probes[0].durationS + 1)).toBe(true);
    expect(instancesOf(hft)).toEqual([]);
  }, 180_000);

  test('hft killed while it measures leaves no process and no tracing instance', async () => {
    const hft = startHft('--duration 60s');
    const children = await untilMeasuring(hft);
    expect(children).toHaveLength(2);
    hft.kill('SIGKILL');
    await expect.poll(() => instancesOf(hft), { timeout: 60_000, interval: 50 }).toEqual([]);
    await expect.poll(() => children.filter(isRunning), { timeout: 60_000, interval: 50 }).toEqual([]);
  }, 180_000);

  test('the probe killed: it is said, and nothing is left', async () => {
    const hft = startHft('--duration 60s');
    const result = resultOf(hft);
    await untilMeasuring(hft);
    for (const pid of childrenOf(hft, 'jitter')) process.kill(Number(pid), 'SIGKILL');
    const { notMeasured, attribution } = await result;
    expect([notMeasured[0].reason, attribution]).toEqual([expect.stringContaining('signal 9'), null]);
    expect(instancesOf(hft)).toEqual([]);
  }, 180_000);

  test('Ctrl-C: what was measured has its causes, and nothing is left', async () => {
    const hft = startHft('--duration 60s');
    const result = resultOf(hft);
    const [probe] = await untilMeasuring(hft);
    await expect.poll(() => writesOf(Number(probe)), { timeout: 60_000, interval: 50 }).toBeGreaterThan(BLOCKS);
    hft.kill('SIGINT');
    const { cut, attribution } = await result;
    expect([cut, ['A', 'B'].includes(attribution.tier)]).toEqual([true, true]);
    expect(instancesOf(hft)).toEqual([]);
  }, 180_000);

  test('hft and its keeper killed at once: the next run takes away what is left, and says so', async () => {
    const killed = startHft('--duration 60s');
    await untilMeasuring(killed);
    for (const pid of childrenOf(killed, 'keep-trace')) process.kill(Number(pid), 'SIGKILL');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const [left] = instancesOf(killed);
    expect(left).toBeDefined();
    const { artefacts } = await resultOf(startHft('--duration 1s'));
    expect(artefacts).toContainEqual(
      expect.objectContaining({ kind: 'leftover', text: expect.stringContaining(left as string) }),
    );
    expect(instancesOf(killed)).toEqual([]);
  }, 180_000);
});

test.runIf(reason !== undefined)(
  `without causes to record (${reason}) it is said why, and nothing is called explained`,
  () => {
    const { stdout } = runShell(`hft verify latency --probe jitter --cpus ${cpu} --duration 1s --json`);
    const { attribution, explainedFraction } = JSON.parse(stdout);
    expect(['C', 'D']).toContain(attribution.tier);
    expect(attribution.missed[0].reason).not.toBe('');
    expect(explainedFraction ?? 0).toBe(0);
  },
);

const asNobody = process.getuid?.() === 0 ? 'setpriv --reuid=65534 --regid=65534 --clear-groups ' : '';

describe('without root', () => {
  test('causes are candidates, and the reason is said', () => {
    const line = `${asNobody}${HFT} verify latency --probe jitter --cpus ${cpu} --duration 1s --json`;
    const { stdout } = runShell(line, {
      environment: { ...cleanEnvironment(), HFT_STATE_DIR: `/tmp/hft-nobody-${process.pid}` },
    });
    const { attribution, disturbances } = JSON.parse(stdout);
    expect(attribution.tier).toBe('C');
    expect(attribution.missed.map(({ tier }: { tier: string }) => tier)).toEqual(['A', 'B']);
    expect(attribution.missed[0].reason).toMatch(/tracing needs root|tracefs is not there|lockdown/);
    expect(disturbances).toEqual([]);
  }, 90_000);

  test('--fix is refused before anything is measured', () => {
    const { stderr, exitCode } = runShell(`${asNobody}${HFT} verify latency --fix --yes --profile workstation`);
    expect(stderr).toBe(
      '`hft verify latency --fix` changes the machine, which needs root.\n  Run `sudo hft verify latency --fix`.\n',
    );
    expect(exitCode).toBe(2);
  });
});

test.runIf(process.getuid?.() === 0)('--fix without a profile is refused before anything is measured', () => {
  const { stderr, exitCode } = runShell('hft verify latency --fix --yes');
  expect(stderr).toContain('--fix takes its settings from a profile, and none is in force here.');
  expect(exitCode).toBe(2);
});
