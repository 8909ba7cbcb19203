import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../measure.ts';
import { medianNs, startProbe, streamOf } from '../probe/run.ts';
import { compile, judge, type Place, say, start } from './place.ts';

const ROUNDS = 5;
const SECONDS = 4;
const PERIOD_US = 500;
/** What cyclictest resolves as people run it: it cuts to whole microseconds. Here it counts nanoseconds. */
const RESOLUTION_US = 1;
/** The largest histogram that it takes; longer ones count as cycles all the same. */
const BUCKETS_NS = 1_000_000;
/** A stall of 20 ms every half second, for which both must wait. */
const STALL_EVERY_US = 500_000;
const STALL_US = 20_000;
/** Where the two begin and end is not the same. */
const LEAST_COUNTED = 0.9;

interface Wake {
  readonly medianUs: number;
  /** Periods without a sample of their own. */
  readonly overdue: number;
}

/** Both sleep nearly all the time, so they run on one CPU at the same time, and the same planted stalls meet both. */
export async function besideCyclictest(place: Place): Promise<boolean> {
  const planted = compile('planted', place.scratch);
  const ours: Wake[] = [];
  const theirs: Wake[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [own, other] = await Promise.all([
      wakeOurs(place),
      wakeTheirs(place),
      start([planted, `${place.cpu}`, `${STALL_EVERY_US}`, `${STALL_US}`, `${SECONDS + 1}`]),
    ]);
    ours.push(own);
    theirs.push(other);
  }
  console.log(
    `\nBeside cyclictest (SCHED_FIFO 1, ${PERIOD_US} us, cpu_dma_latency 0), at the same time on CPU ${place.cpu},`,
  );
  console.log(`with planted stalls of ${STALL_US / 1000} ms: median and each of ${ROUNDS} runs of ${SECONDS} s`);
  say(
    'hft-probe wakeup: median of the service time, us',
    ours.map(({ medianUs }) => medianUs),
  );
  say(
    'cyclictest: median, us',
    theirs.map(({ medianUs }) => medianUs),
  );
  say(
    'hft-probe wakeup: overdue periods, each a sample',
    ours.map(({ overdue }) => overdue),
    0,
  );
  say(
    'cyclictest: periods that it left out',
    theirs.map(({ overdue }) => overdue),
    0,
  );
  const apart = Math.abs(median(ours.map((run, round) => run.medianUs - (theirs[round] as Wake).medianUs)));
  const counted = median(ours.map((run, round) => run.overdue / (theirs[round] as Wake).overdue));
  return [
    judge('medians apart', `${apart.toFixed(2)} us, wanted at most ${RESOLUTION_US} us`, apart <= RESOLUTION_US),
    judge(
      'counted of what cyclictest left out',
      `${counted.toFixed(2)}, wanted at least ${LEAST_COUNTED}`,
      counted >= LEAST_COUNTED,
    ),
  ].every(Boolean);
}

async function wakeOurs({ cpu, control }: Place): Promise<Wake> {
  const where = ['--cpus', `${cpu}`, '--control-cpu', `${control}`, '--policy', 'fifo', '--dma-latency', '0'];
  const run = await startProbe(['wakeup', ...where, '--period-ns', `${PERIOD_US * 1000}`], SECONDS);
  return { medianUs: medianNs(streamOf(run, 'service')) / 1000, overdue: run.result.overdue ?? 0 };
}

async function wakeTheirs({ scratch, cpu, control }: Place): Promise<Wake> {
  const file = join(scratch, 'cyclictest.json');
  const where = ['-a', `${cpu}`, '-t', '1', '-p', '1', `--mainaffinity=${control}`];
  const what = ['-i', `${PERIOD_US}`, '-D', `${SECONDS}`, '-N', '-h', `${BUCKETS_NS}`, `--json=${file}`];
  await start(['cyclictest', '-q', ...where, ...what]);
  return readCyclictest(file);
}

function readCyclictest(file: string): Wake {
  const read = JSON.parse(readFileSync(file, 'utf8')) as {
    thread: { 0: { cycles: number; histogram: Record<string, number> } };
  };
  const { cycles, histogram } = read.thread[0];
  let half = cycles / 2;
  const medianBucketNs = Object.entries(histogram).find(([, count]) => {
    half -= count;
    return half <= 0;
  })?.[0];
  return { medianUs: Number(medianBucketNs) / 1000, overdue: (SECONDS * 1e6) / PERIOD_US - cycles };
}
