import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProbeRun } from '../../../src/latency/probe/run.ts';
import { median } from '../measure.ts';
import { countOf, startProbe, streamOf } from '../probe/run.ts';
import { compile, judge, type Place, say, start } from './place.ts';

const ROUNDS = 5;
const SECONDS = 2;
/** 10,000 interruptions of 3 us a second, so that what else the machine does weighs little when the two are compared. */
const PERIOD_US = 100;
const WORK_US = 3;
const LEAST_SEEN = 0.999;
/** What else interrupts differs from run to run. */
const LEAST_RATE_RATIO = 0.95;

interface Spin {
  readonly turns: number;
  readonly gaps: number;
  readonly maxUs: number;
  readonly planted: number;
}

/**
 * Two loops cannot have one CPU at one time: they run in turns, each under the same planted interruptions. With SCHED_FIFO 1, so that
 * both have all of the CPU but for those and the kernel, whatever else the machine does.
 */
export async function besideOslat(place: Place): Promise<boolean> {
  const planted = compile('planted', place.scratch);
  const ours: (Spin & { seen: number })[] = [];
  const theirs: Spin[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await spinOurs(place, planted));
    theirs.push(await spinTheirs(place, planted));
  }
  console.log(
    `\nBeside oslat, in turns on CPU ${place.cpu}, ${1e6 / PERIOD_US} planted interruptions of ${WORK_US} us a second, SCHED_FIFO 1:`,
  );
  console.log(`median and each of ${ROUNDS} runs of ${SECONDS} s`);
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
      `${name}: planted interruptions a second`,
      runs.map((run) => run.planted),
      0,
    );
    say(
      `${name}: longest, us`,
      runs.map(({ maxUs }) => maxUs),
      0,
    );
  }
  say(
    'hft-probe jitter: share of the planted inside a gap',
    ours.map(({ seen }) => seen),
    5,
  );
  const turns = median(ours.map((run, round) => run.turns / (theirs[round] as Spin).turns));
  const gaps = median(ours.map((run, round) => run.gaps / (theirs[round] as Spin).gaps));
  const seen = Math.min(...ours.map((run) => run.seen));
  return [
    judge('turns of jitter against oslat', `${turns.toFixed(2)} x, wanted at least 1 x`, turns >= 1),
    judge(
      'gaps of jitter against oslat',
      `${gaps.toFixed(2)} x, wanted at least ${LEAST_RATE_RATIO} x`,
      gaps >= LEAST_RATE_RATIO,
    ),
    judge(
      'planted interruptions that jitter has',
      `${seen.toFixed(5)}, wanted at least ${LEAST_SEEN}`,
      seen >= LEAST_SEEN,
    ),
  ].every(Boolean);
}

async function spinOurs({ cpu, control }: Place, planted: string): Promise<Spin & { seen: number }> {
  const [run, said] = await Promise.all([
    startProbe(['jitter', '--cpus', `${cpu}`, '--control-cpu', `${control}`, '--policy', 'fifo'], SECONDS),
    start([planted, `${cpu}`, `${PERIOD_US}`, `${WORK_US}`, `${SECONDS + 1}`]),
  ]);
  const gap = streamOf(run, 'gap');
  const { inRun, seen } = findPlanted(run, said);
  return {
    turns: countOf(streamOf(run, 'loop')) / SECONDS,
    gaps: countOf(gap) / SECONDS,
    maxUs: Math.max(...gap.blocks.map(({ maxNs }) => maxNs)) / 1000,
    planted: inRun / SECONDS,
    seen: seen / inRun,
  };
}

/** Those that lie in the run, and of these those that lie in a gap. Both lists are in the order of time. */
function findPlanted(run: ProbeRun, said: string): { inRun: number; seen: number } {
  const { starts, ends } = streamOf(run, 'gap').gaps;
  const first = run.result.startTicks;
  const last = first + BigInt(Math.floor(SECONDS * run.meta.clock.hz));
  let [inRun, seen, at] = [0, 0, 0];
  for (const line of said.trim().split('\n')) {
    const [begun, ended] = line.split(' ').map(BigInt) as [bigint, bigint];
    if (begun < first || ended > last) continue;
    inRun++;
    while (at < ends.length && (ends[at] as bigint) < ended) at++;
    if (at < ends.length && (starts[at] as bigint) <= begun) seen++;
  }
  return { inRun, seen };
}

async function spinTheirs({ scratch, cpu, control }: Place, planted: string): Promise<Spin> {
  const file = join(scratch, 'oslat.json');
  const [, said] = await Promise.all([
    start(['oslat', '-q', '-c', `${cpu}`, '-C', `${control}`, '-f', '1', '-D', `${SECONDS}`, `--json=${file}`]),
    start([planted, `${cpu}`, `${PERIOD_US}`, `${WORK_US}`, `${SECONDS + 1}`]),
  ]);
  return { ...readOslat(file), planted: said.trim().split('\n').length / (SECONDS + 1) };
}

/** Its first bucket is all up to 1 us. */
function readOslat(file: string): Omit<Spin, 'planted'> {
  const { max, duration, histogram } = (JSON.parse(readFileSync(file, 'utf8')) as OslatFile).thread['0'];
  const counts = Object.entries(histogram);
  const sum = (least: number) =>
    counts.filter(([us]) => Number(us) >= least).reduce((all, [, count]) => all + count, 0);
  return { turns: sum(0) / duration, gaps: sum(2) / duration, maxUs: max };
}

interface OslatFile {
  readonly thread: { readonly '0': { max: number; duration: number; histogram: Record<string, number> } };
}
