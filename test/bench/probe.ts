import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { median } from './measure.ts';
import { judge, type Place, say } from './peers/place.ts';
import { allowedCpus, medianNs, PROGRAM, startProbe, streamOf } from './probe/run.ts';
import type { BenchPlaces } from './report.ts';

const ROUNDS = 5;
const SECONDS = 2;
/** Times a bare read of the clock, and times a bare ping-pong. */
const MOST_LOOP_RATIO = 1.5;
const MOST_RING_RATIO = 1.2;

/** What hft-probe costs by itself, and beside the least that the same could cost. */
export async function benchProbe({ scratch }: BenchPlaces): Promise<boolean> {
  const [control, cpu] = allowedCpus();
  if (control === undefined || cpu === undefined)
    throw new Error('two CPUs are needed: one to measure on and one to control from');
  return [benchCosts(), await benchRing({ scratch, cpu, control })].every(Boolean);
}

function judgeRatio(what: string, ratio: number, most: number): boolean {
  return judge(what, `${ratio.toFixed(2)} x, wanted at most ${most} x`, ratio <= most);
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
  return judgeRatio('loop against read', median(ratios), MOST_LOOP_RATIO);
}

async function benchRing({ scratch, cpu, control }: Place): Promise<boolean> {
  const bare = join(scratch, 'ping-pong');
  const source = join(import.meta.dirname, 'probe/ping-pong.c');
  execFileSync('cc', ['-std=c11', '-D_GNU_SOURCE', '-O2', '-pthread', source, '-o', bare]);
  const rounds: { ring: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const run = await startProbe(['shm', '--cpus', `${control},${cpu}`], SECONDS);
    const said = execFileSync(bare, [`${control}`, `${cpu}`, '2000000'], { encoding: 'utf8' });
    rounds.push({ ring: medianNs(streamOf(run, 'closed')), bare: Number(said.split(' ')[1]) });
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
  return judgeRatio('shm against bare', median(rounds.map((round) => round.ring / round.bare)), MOST_RING_RATIO);
}
