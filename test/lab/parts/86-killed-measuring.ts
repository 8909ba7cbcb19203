import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Check } from '../check.ts';
import type { Guest } from '../guest.ts';
import { needHft, writeProfile } from '../hft.ts';
import { captureState, diffStates, printDifference } from '../state.ts';

export const name =
  'killed while it measures or tries settings, hft leaves no process, no scheduler and no trace setting';
export const kernels = ['stock', 'rt'] as const;

const CPU = 5;
/** A measurement under SCHED_FIFO is throttled, so that there is always something to try. */
const profile = 'kernel:\n  realtime: { runtime: unlimited }\n';
/** After the probe has started: warm-up, measuring, and the reading of what was recorded (it measures for 4 s). */
const MOMENTS_MS = [0, 200, 1_000, 1_500, 4_000, 5_200];

export async function run(guest: Guest, check: Check): Promise<void> {
  await needHft(guest);
  const script = await readFile(path.join(import.meta.dirname, '..', 'kill-measuring.sh'), 'utf8');
  await guest.ssh('cat > /root/kill-measuring.sh', { input: script });
  await writeProfile(guest, 'unthrottled', profile);
  const runtime = () => guest.read('cat /proc/sys/kernel/sched_rt_runtime_us');
  const [before, wasRuntime] = [await captureState(guest), await runtime()];
  for (const ms of MOMENTS_MS) {
    const left = await kill(guest, `${ms} --cpus ${CPU} --duration 4s --scheduler fifo --load housekeeping`);
    check(/^gone after/.test(left), `killed ${ms} ms after the probe was started: nothing of it is left`, left);
  }
  for (const turn of [1, 2]) {
    const fix = `--cpus ${CPU} --duration 5s --scheduler fifo --profile /root/unthrottled.yaml --fix --yes`;
    const left = await kill(guest, `with ${fix}`);
    check(/^gone after/.test(left), `killed while a setting was tried (${turn}): the host takes it back`, left);
    // It is a minute after the measurement should have ended; how long a starved guest takes until then says nothing.
    const ms = Number(/, (?<ms>-?\d+) ms before the deadline/.exec(left)?.groups?.ms ?? Number.NEGATIVE_INFINITY);
    check(ms > 0, 'and does not wait for the deadline', left);
    check((await runtime()) === wasRuntime, `sched_rt_runtime_us is ${wasRuntime} again`, await runtime());
  }
  const differences = diffStates(before, await captureState(guest)).map(printDifference);
  check(differences.length === 0, 'the whole readable state is what it was before', differences);
}

/** What is left, and how long it took to go. */
async function kill(guest: Guest, args: string): Promise<string> {
  const { stdout, stderr } = await guest.ssh(`bash /root/kill-measuring.sh ${args}`, {
    allowFail: true,
    timeoutS: 900,
  });
  return `${stdout} ${stderr}`.trim();
}
