import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CPUS, compileTestProgram, makeFolder } from '../unit/latency/program.ts';
import { inTracefs, whyNoTracing } from './private-tracefs.ts';
import { buildWhenStale, cleanEnvironment, HFT, ROOT } from './run-hft.ts';

/**
 * hft killed while it tries a setting: its guard takes the setting back at once. The setting is a file of this test, which stands in a
 * mount namespace where the kernel's own would be: nothing of this machine is changed.
 */
const SETTING = '/proc/sys/kernel/sched_rt_runtime_us';
const [BEFORE, TRIED] = ['950000', '940000'];

const isThrottled = () => readFileSync(SETTING, 'utf8').trim() !== '-1';
const reason = whyNoTracing() ?? (isThrottled() ? undefined : 'realtime throttling, which is to be found, is off here');
const folder = makeFolder();
const [file, profile, state] = ['setting', 'throttled.yaml', 'state'].map((name) => join(folder.path, name)) as [
  string,
  string,
  string,
];
const cpu = CPUS.at(-1) as number;
let plant: string;
beforeAll(() => {
  buildWhenStale();
  plant = compileTestProgram('plant', folder.path);
  writeFileSync(file, `${BEFORE}\n`);
  writeFileSync(profile, `name: throttled\nkernel:\n  realtime: { runtime: ${TRIED} }\n`);
  mkdirSync(state);
});
afterAll(() => folder.remove());

const setting = () => readFileSync(file, 'utf8').trim();

function startFix(): ChildProcess {
  const hft = `${HFT} verify latency --probe jitter --cpus ${cpu} --duration 4s --scheduler fifo --profile ${profile} --fix --yes`;
  // Without systemd the guard is a process in this namespace; a unit would see the machine's own files.
  const hide = 'if [ -d /run/systemd/system ]; then mount -t tmpfs none /run/systemd; fi';
  const [program, ...rest] = inTracefs(`mount --bind ${file} ${SETTING} && ${hide} && exec ${hft}`);
  return spawn(program, rest, { cwd: ROOT, env: { ...cleanEnvironment(), HFT_STATE_DIR: state }, stdio: 'ignore' });
}

const journals = () =>
  readdirSync(join(state, 'journal')).map((name) => readFileSync(join(state, 'journal', name), 'utf8'));

describe.skipIf(reason !== undefined)(`--fix killed${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  test('while the setting is in place: it goes back long before the deadline', async () => {
    // Somebody who wants the CPU, so that there is throttling to be found.
    const hog = spawn(plant, ['fair-hog', '--cpu', `${cpu}`], { stdio: 'ignore' });
    onTestFinished(() => void hog.kill('SIGKILL'));
    const hft = startFix();
    await expect.poll(setting, { timeout: 200_000, interval: 50 }).toBe(TRIED);
    await expect.poll(() => journals().at(-1), { timeout: 60_000, interval: 20 }).toContain('"result":"applied"');
    hft.kill('SIGKILL');
    // The deadline is a minute after the end of the measurement.
    await expect.poll(setting, { timeout: 45_000, interval: 100 }).toBe(BEFORE);
    await expect
      .poll(() => journals().at(-1)?.trimEnd(), { timeout: 60_000 })
      .toMatch(/"type":"end","result":"undone"\}$/);
  }, 400_000);
});
