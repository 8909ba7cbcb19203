import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './measure.ts';
import { allowedCpus, countOf, isInstalled, medianNs, PROGRAM, runProbe, streamOf } from './probe/run.ts';
import type { BenchPlaces } from './report.ts';

const ROUNDS = 5;
const SECONDS = 2;
const PERIOD_US = 500;
/** Times a bare read of the clock, and times a bare ping-pong. */
const MOST_LOOP_RATIO = 1.5;
const MOST_RING_RATIO = 1.2;

/** What hft-probe costs by itself, and beside the tools of the trade: in turns on the same CPU. */
export async function benchProbe({ scratch }: BenchPlaces): Promise<boolean> {
  const [control, cpu] = allowedCpus();
  if (control === undefined || cpu === undefined)
    throw new Error('two CPUs are needed: one to measure on and one to control from');
  const place = { scratch, cpu, control };
  const met = [benchCosts(), benchRing(place)];
  if (isInstalled('oslat')) besideOslat(place);
  else console.log('\noslat is not installed (Debian: rt-tests): not compared');
  if (!isInstalled('cyclictest')) console.log('\ncyclictest is not installed (Debian: rt-tests): not compared');
  else if (process.getuid?.() !== 0) console.log('\ncyclictest with SCHED_FIFO needs root: not compared');
  else besideCyclictest(place);
  return met.every(Boolean);
}

interface Place {
  readonly scratch: string;
  readonly cpu: number;
  readonly control: number;
}

function say(name: string, values: readonly number[], digits = 1): void {
  const all = values.map((value) => value.toFixed(digits)).join(' ');
  console.log(`  ${name.padEnd(44)} ${median(values).toFixed(digits).padStart(9)}   ${all}`);
}

function judge(what: string, ratio: number, most: number): boolean {
  const isMet = ratio <= most;
  console.log(`  ${what}: ${ratio.toFixed(2)} x, wanted at most ${most} x: ${isMet ? 'as wanted' : 'MISSED'}`);
  return isMet;
}

function benchCosts(): boolean {
  const ask = () =>
    JSON.parse(execFileSync(PROGRAM, ['self-test', 'clock'], { encoding: 'utf8' })) as Record<string, number>;
  const runs = Array.from({ length: ROUNDS }, ask);
  const of = (name: string) => runs.map((run) => run[name] as number);
  console.log(`\nCosts, ns: median and each of ${ROUNDS} runs (each the cheapest of many batches)`);
  say('one read of the clock', of('readNs'), 2);
  say('one turn of the loop of jitter', of('loopNs'), 2);
  say('one ordered read of the clock', of('orderedReadNs'), 2);
  say('one sample into a histogram', of('recordNs'), 2);
  say('step of the counter', of('quantumNs'), 2);
  const ratios = runs.map(({ loopNs = Number.NaN, readNs = Number.NaN }) => loopNs / readNs);
  return judge('loop against read', median(ratios), MOST_LOOP_RATIO);
}

function benchRing({ scratch, cpu, control }: Place): boolean {
  const bare = join(scratch, 'ping-pong');
  const source = join(import.meta.dirname, 'probe/ping-pong.c');
  execFileSync('cc', ['-std=c11', '-D_GNU_SOURCE', '-O2', '-pthread', source, '-o', bare]);
  const rounds: { ring: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ring = medianNs(streamOf(runProbe(['shm', '--cpus', `${control},${cpu}`], SECONDS), 'closed'));
    const said = execFileSync(bare, [`${control}`, `${cpu}`, '2000000'], { encoding: 'utf8' });
    rounds.push({ ring, bare: Number(said.split(' ')[1]) });
  }
  console.log(`\nRound trip of 64 B between CPUs ${control} and ${cpu}, ns: median of ${ROUNDS} medians, and each`);
  say(
    'hft-probe shm, closed',
    rounds.map(({ ring }) => ring),
  );
  say(
    'bare ping-pong',
    rounds.map((round) => round.bare),
  );
  return judge('shm against bare', median(rounds.map((round) => round.ring / round.bare)), MOST_RING_RATIO);
}

function besideOslat({ scratch, cpu, control }: Place): void {
  const file = join(scratch, 'oslat.json');
  const ours: Spin[] = [];
  const theirs: Spin[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const run = runProbe(['jitter', '--cpus', `${cpu}`, '--control-cpu', `${control}`], SECONDS);
    const gap = streamOf(run, 'gap');
    ours.push({
      turns: countOf(streamOf(run, 'loop')) / SECONDS,
      gaps: countOf(gap) / SECONDS,
      maxUs: Math.max(...gap.blocks.map(({ maxNs }) => maxNs)) / 1000,
    });
    execFileSync('oslat', ['-q', '-c', `${cpu}`, '-C', `${control}`, '-D', `${SECONDS}`, `--json=${file}`], {
      stdio: 'ignore',
    });
    theirs.push(readOslat(file));
  }
  console.log(`\nBeside oslat, in turns on CPU ${cpu}: median and each of ${ROUNDS} runs of ${SECONDS} s`);
  for (const [name, runs] of [
    ['hft-probe jitter', ours],
    ['oslat', theirs],
  ] as const) {
    say(
      `${name}: turns a second, millions`,
      runs.map(({ turns }) => turns / 1e6),
    );
    say(
      `${name}: gaps above 1 us a second`,
      runs.map(({ gaps }) => gaps),
      0,
    );
    say(
      `${name}: longest, us`,
      runs.map(({ maxUs }) => maxUs),
      0,
    );
  }
}

interface Spin {
  readonly turns: number;
  readonly gaps: number;
  readonly maxUs: number;
}

/** Its first bucket is all up to 1 us. */
function readOslat(file: string): Spin {
  const { max, duration, histogram } = (JSON.parse(readFileSync(file, 'utf8')) as OslatFile).thread['0'];
  const counts = Object.entries(histogram);
  const sum = (least: number) =>
    counts.filter(([us]) => Number(us) >= least).reduce((all, [, count]) => all + count, 0);
  return { turns: sum(0) / duration, gaps: sum(2) / duration, maxUs: max };
}

interface OslatFile {
  readonly thread: { readonly '0': { max: number; duration: number; histogram: Record<string, number> } };
}

function besideCyclictest({ scratch, cpu, control }: Place): void {
  const file = join(scratch, 'cyclictest.json');
  const ours: Wake[] = [];
  const theirs: Wake[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const where = ['--cpus', `${cpu}`, '--control-cpu', `${control}`, '--policy', 'fifo', '--dma-latency', '0'];
    const run = runProbe(['wakeup', ...where, '--period-ns', `${PERIOD_US * 1000}`], SECONDS);
    ours.push({ medianUs: medianNs(streamOf(run, 'service')) / 1000, left: 0, overdue: run.result.overdue ?? 0 });
    const argv = [
      '-q',
      '-a',
      `${cpu}`,
      '-t',
      '1',
      '-p',
      '1',
      '-i',
      `${PERIOD_US}`,
      '-D',
      `${SECONDS}`,
      '-h',
      '20000',
      `--json=${file}`,
    ];
    execFileSync('cyclictest', argv, { stdio: 'ignore' });
    theirs.push(readCyclictest(file));
  }
  console.log(`\nBeside cyclictest (SCHED_FIFO 1, ${PERIOD_US} us, cpu_dma_latency 0), in turns on CPU ${cpu}`);
  say(
    'hft-probe wakeup: median of the service time, us',
    ours.map(({ medianUs }) => medianUs),
  );
  say(
    'hft-probe wakeup: overdue periods, counted',
    ours.map(({ overdue }) => overdue),
    0,
  );
  say(
    'cyclictest: median, us',
    theirs.map(({ medianUs }) => medianUs),
  );
  say(
    'cyclictest: periods that it left out',
    theirs.map(({ left }) => left),
    0,
  );
}

interface Wake {
  readonly medianUs: number;
  readonly left: number;
  readonly overdue: number;
}

function readCyclictest(file: string): Wake {
  const read = JSON.parse(readFileSync(file, 'utf8')) as {
    thread: { 0: { cycles: number; histogram: Record<string, number> } };
  };
  const { cycles, histogram } = read.thread[0];
  let half = cycles / 2;
  const medianUs = Object.entries(histogram).find(([, count]) => {
    half -= count;
    return half <= 0;
  })?.[0];
  return { medianUs: Number(medianUs), left: (SECONDS * 1e6) / PERIOD_US - cycles, overdue: 0 };
}
