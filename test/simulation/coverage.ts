import { ObservedShares } from '../../src/latency/statistics/effective-size.ts';
import { type Exceedances, latencyExceedances } from '../../src/latency/statistics/exceedances.ts';
import { estimateQuantile } from '../../src/latency/statistics/quantile.ts';
import { seededRandom } from '../../src/latency/statistics/random.ts';
import { percentileBootstrap } from './block-bootstrap.ts';
import { type Sampling, type Stream, trueQuantileNs } from './streams.ts';

/** How often the intervals of one quantile of one kind of stream held. */
export interface Coverage {
  readonly q: number;
  readonly runs: number;
  /** Runs whose quantile was not n/a. */
  given: number;
  /** Of those, how often the true quantile was below, above the interval. */
  givenTooHigh: number;
  givenTooLow: number;
  /** Of all runs, those with n/a included: how often a bound was wrong. */
  boundsWrong: number;
  /** How often the interval of the plain block bootstrap missed, over the runs that were not n/a. */
  bootstrapWrong: number;
}

export interface CoverageRun {
  readonly stream: Stream;
  readonly sampling: Sampling;
  readonly quantiles: readonly number[];
  readonly runs: number;
  readonly seed: number;
  /** Resamples of the plain bootstrap to compare with; 0 leaves it out. */
  readonly resamples: number;
}

/** A second, ten blocks: the block length of the bootstrap that is compared with. */
const BOOTSTRAP_BLOCKS = 10;

export function coverage({ stream, sampling, quantiles, runs, seed, resamples }: CoverageRun): Coverage[] {
  const results = quantiles.map((q) => ({
    q,
    runs,
    given: 0,
    givenTooHigh: 0,
    givenTooLow: 0,
    boundsWrong: 0,
    bootstrapWrong: 0,
  }));
  const truths = quantiles.map((q) => trueQuantileNs(stream, q));
  for (let run = 0; run < runs; run++) {
    const random = seededRandom(seed + run);
    const exceedances = latencyExceedances(stream.sample(random, sampling));
    const shares = new ObservedShares(exceedances);
    for (const [i, result] of results.entries()) {
      const truth = truths[i] as number;
      const estimate = estimateQuantile(shares, result.q);
      const [tooHigh, tooLow] = [estimate.lowerNs > truth, estimate.upperNs < truth];
      if (tooHigh || tooLow) result.boundsWrong++;
      if (estimate.valueNs === undefined) continue;
      result.given++;
      if (tooHigh) result.givenTooHigh++;
      if (tooLow) result.givenTooLow++;
      if (resamples > 0 && !bootstrapHolds(exceedances, { q: result.q, truth, resamples, seed: seed + run })) {
        result.bootstrapWrong++;
      }
    }
  }
  return results;
}

function bootstrapHolds(
  exceedances: Exceedances,
  { q, truth, resamples, seed }: { q: number; truth: number; resamples: number; seed: number },
): boolean {
  const options = { random: seededRandom(seed), length: BOOTSTRAP_BLOCKS, resamples };
  const { lowerNs, upperNs } = percentileBootstrap(exceedances, q, options);
  return lowerNs <= truth && truth <= upperNs;
}
