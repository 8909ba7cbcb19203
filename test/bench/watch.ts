import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allowedCpus } from './probe/run.ts';
import type { BenchPlaces } from './report.ts';

const THREADS = 200;
/** What starting takes is not what watching takes. */
const WARM_UP_S = 5;
const SECONDS = 20;
const ROUNDS = 3;

const MOST_CPU_PERCENT = 3;
const MOST_WAKE_UPS_PER_S = 50;
const MOST_LAUNCHED_S = 3;
const MOST_VERIFIED_S = 6;

/**
 * What it takes to watch a process of 200 threads that has a CPU to itself, and how long from `hft launch` until it is verified. True when all
 * is as wanted. Watchers run on housekeeping CPUs, as everything does on a tuned host; where they ran is looked at.
 */
export async function benchWatch({ scratch, hft }: BenchPlaces): Promise<boolean> {
  const cpus = allowedCpus();
  const [housekeeping, own] = [cpus[0], cpus.at(-1)];
  if (housekeeping === undefined || own === undefined || housekeeping === own)
    throw new Error('two CPUs are needed: one to watch from and one for the process');
  const folder = join(scratch, 'watch');
  mkdirSync(join(folder, 'run'), { recursive: true });
  const environment = { ...process.env, HFT_RUN_DIR: join(folder, 'run'), HFT_STATE_DIR: join(folder, 'state') };
  const run = (...argv: readonly string[]) => spawnSync(hft, argv, { env: environment, encoding: 'utf8' });
  console.log(`\nWatching ${THREADS} threads: ${ROUNDS} runs of ${SECONDS} s`);
  try {
    const file = writeDeployment(folder, { housekeeping, own });
    let isMet = true;
    const times: { readonly launchedS: number; readonly verifiedS: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      run('stop');
      times.push(launchAndVerify(run, file));
    }
    const launched = times.map(({ launchedS }) => launchedS);
    const verified = times.map(({ verifiedS }) => verifiedS);
    isMet = say('launch --wait until all threads are placed, s', launched, MOST_LAUNCHED_S) && isMet;
    isMet = say('launch to verified (verify --duration 1s in it), s', verified, MOST_VERIFIED_S) && isMet;
    const watchers = [
      ['ps', '--watch'],
      ['verify', 'processes', '--duration', `${WARM_UP_S + SECONDS + 10}s`],
    ];
    for (const argv of watchers) {
      const costs: Cost[] = [];
      for (let round = 0; round < ROUNDS; round++)
        costs.push(
          await measure(
            spawn('taskset', ['-c', `${housekeeping}`, hft, ...argv], { env: environment, stdio: 'ignore' }),
          ),
        );
      const name = `hft ${argv.slice(0, 2).join(' ')}`;
      isMet =
        say(
          `${name}, % of one CPU`,
          costs.map(({ cpuPercent }) => cpuPercent),
          MOST_CPU_PERCENT,
        ) && isMet;
      isMet =
        say(
          `${name}, wake-ups a second`,
          costs.map(({ wakeUpsPerS }) => wakeUpsPerS),
          MOST_WAKE_UPS_PER_S,
        ) && isMet;
      const ran = [...new Set(costs.flatMap((cost) => cost.cpus))];
      isMet = say(`${name}, looks that saw it on CPU ${own}`, [ran.filter((cpu) => cpu === own).length], 0) && isMet;
    }
    return isMet;
  } finally {
    run('stop');
  }
}

function writeDeployment(folder: string, { housekeeping, own }: { housekeeping: number; own: number }): string {
  const reference = join(import.meta.dirname, '../../dist/hft-reference');
  const workers = Array.from({ length: THREADS - 2 }, (_, index) => `--thread, "w-${index}:block"`).join(', ');
  writeFileSync(join(folder, 'roles.yaml'), `layout: { housekeeping: "${housekeeping}", isolated: "${own}" }\n`);
  const file = join(folder, 'watched.yaml');
  writeFileSync(
    file,
    `profile: ./roles.yaml
processes:
  md:
    command: [${reference}, --thread, "rx:spin", ${workers}]
    cpus: [${own}]
    threads:
      rx: own
      "w-1*": { cpus: "${housekeeping}", count: 109 }
      "*": "${housekeeping}"
`,
  );
  return file;
}

type Run = (...argv: readonly string[]) => ReturnType<typeof spawnSync>;

function launchAndVerify(run: Run, file: string): { launchedS: number; verifiedS: number } {
  const startMs = performance.now();
  const launched = run('launch', file, '--gate', 'none', '--wait');
  const launchedS = (performance.now() - startMs) / 1000;
  if (launched.status !== 0) throw new Error(`${launched.stdout}${launched.stderr}`);
  const { stdout } = run('verify', 'processes', '--duration', '1s', '--json');
  const verifiedS = (performance.now() - startMs) / 1000;
  const { results } = JSON.parse(String(stdout)) as { results: { id: string; status: string }[] };
  // The kernel does not isolate the CPU here, and devices' interrupts may go there.
  const wrong = results.filter(({ id, status }) => status === 'fail' && !/@cpu\d+$/.test(id));
  if (wrong.length > 0) throw new Error(`not verified: ${wrong.map(({ id }) => id).join(', ')}`);
  return { launchedS, verifiedS };
}

interface Cost {
  readonly cpuPercent: number;
  readonly wakeUpsPerS: number;
  /** Where its threads ran, as far as samples saw them. */
  readonly cpus: readonly number[];
}

/** USER_HZ */
const TICKS_PER_S = 100;

async function measure(child: ChildProcess): Promise<Cost> {
  const pid = child.pid as number;
  await sleep(WARM_UP_S * 1000);
  const [before, startMs] = [read(pid), performance.now()];
  const cpus = new Set<number>();
  while (performance.now() - startMs < SECONDS * 1000) {
    await sleep(100);
    for (const cpu of read(pid).cpus) cpus.add(cpu);
  }
  const [after, s] = [read(pid), (performance.now() - startMs) / 1000];
  child.kill('SIGTERM');
  await once(child, 'exit');
  return {
    cpuPercent: ((after.ticks - before.ticks) / TICKS_PER_S / s) * 100,
    wakeUpsPerS: (after.switches - before.switches) / s,
    cpus: [...cpus],
  };
}

/** Of a process, with its children that have ended: CPU time, switches of its threads, and where these ran last. */
function read(pid: number): { ticks: number; switches: number; cpus: number[] } {
  const fieldsOf = (path: string) => {
    const text = readFileSync(path, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  };
  const whole = fieldsOf(`/proc/${pid}/stat`);
  const ticks = [14, 15, 16, 17].reduce((sum, field) => sum + Number(whole[field - 3]), 0);
  const tasks = readdirSync(`/proc/${pid}/task`);
  const switches = tasks.reduce((sum, tid) => {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8');
    return sum + Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1] ?? 0);
  }, 0);
  return { ticks, switches, cpus: tasks.map((tid) => Number(fieldsOf(`/proc/${pid}/task/${tid}/stat`)[39 - 3])) };
}

/** Prints the figures in their order. True when their median is as wanted. */
function say(name: string, values: readonly number[], most: number): boolean {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted[sorted.length >> 1] as number;
  const isMet = middle <= most;
  const figures = values.map((value) => value.toFixed(2)).join(' ');
  console.log(`  ${name.padEnd(54)}  ${figures}  (wanted: at most ${most}) ${isMet ? 'as wanted' : 'MISSED'}`);
  return isMet;
}
