import { type Coverage, coverage } from '../simulation/coverage.ts';
import {
  drifting,
  independent,
  markovStalls,
  periodicStalls,
  type Sampling,
  type Stream,
} from '../simulation/streams.ts';

/**
 * The table of docs/latency-statistics.md. `HFT_BENCH_STREAMS=iid,ar1` runs the streams whose names start so,
 * `HFT_BENCH_SIZES=10@1,60@1` runs of 10 and 60 s at 1 kHz.
 */
const STREAMS: readonly Stream[] = [
  independent(),
  drifting(0.02),
  drifting(0.2),
  drifting(1),
  markovStalls(0.005, 0.2),
  markovStalls(0.02, 2),
  markovStalls(0.05, 1),
  periodicStalls(1, 0.005, 0.035),
  periodicStalls(3, 0.05, 0.15),
];

const SIZES: readonly (Sampling & { readonly runs: number; readonly quantiles: readonly number[] })[] = [
  { durationS: 10, rateHz: 1000, runs: 400, quantiles: [0.5, 0.99] },
  { durationS: 60, rateHz: 1000, runs: 300, quantiles: [0.5, 0.99] },
  { durationS: 600, rateHz: 1000, runs: 50, quantiles: [0.5, 0.99, 0.999] },
  { durationS: 10, rateHz: 100_000, runs: 60, quantiles: [0.5, 0.99, 0.999, 0.9999] },
  { durationS: 60, rateHz: 10_000, runs: 60, quantiles: [0.5, 0.99, 0.999] },
];

const WANTED = { low: 0.93, high: 0.97 };

/** Prints a row per stream, size and quantile. True when no row that is nearly always given covers less than wanted. */
export function benchCoverage(): boolean {
  const asked = process.env.HFT_BENCH_STREAMS?.split(',') ?? [''];
  const sizes = process.env.HFT_BENCH_SIZES?.split(',');
  console.log('| stream | s | kHz | quantile | given | covers | bounds hold | plain bootstrap |');
  console.log('|---|---|---|---|---|---|---|---|');
  let isAsWanted = true;
  for (const stream of STREAMS.filter(({ name }) => asked.some((start) => name.startsWith(start)))) {
    for (const { quantiles, runs, ...sampling } of SIZES) {
      if (sizes?.includes(`${sampling.durationS}@${sampling.rateHz / 1000}`) === false) continue;
      for (const result of coverage({ stream, sampling, quantiles, runs, seed: 1, resamples: 199 })) {
        console.log(row(stream, sampling, result));
        if (result.given >= 0.95 * runs && !isCovered(result)) isAsWanted = false;
      }
    }
  }
  return isAsWanted;
}

/** Not significantly (three standard errors) below what is wanted. */
function isCovered({ given, givenTooHigh, givenTooLow }: Coverage): boolean {
  const covered = 1 - (givenTooHigh + givenTooLow) / given;
  return covered >= WANTED.low - 3 * Math.sqrt((WANTED.low * (1 - WANTED.low)) / given);
}

function row(stream: Stream, { durationS, rateHz }: Sampling, result: Coverage): string {
  const { q, runs, given, givenTooHigh, givenTooLow, boundsWrong, bootstrapWrong } = result;
  const percent = (part: number, of: number) => (of < 0.05 * runs ? 'n/a' : ((100 * part) / of).toFixed(1));
  return `| ${[
    stream.name,
    durationS,
    rateHz / 1000,
    `P${Number((100 * q).toFixed(2))}`,
    ((100 * given) / runs).toFixed(0),
    percent(given - givenTooHigh - givenTooLow, given),
    percent(runs - boundsWrong, runs),
    percent(given - bootstrapWrong, given),
  ].join(' | ')} |`;
}
