import { describe, expect, test } from 'vitest';
import { type CoverageRun, coverage } from '../../simulation/coverage.ts';
import { drifting, independent, markovStalls, periodicStalls } from '../../simulation/streams.ts';

/**
 * A small run of the simulation of docs/latency-statistics.md, whose full table `npm run bench -- coverage` makes. The runs are
 * seeded; the limits leave three standard errors around 93 to 97 %.
 */
/** Some seconds of CPU, but the machine may be busy. */
const LIMIT_MS = 300_000;

const SECONDS_60 = { durationS: 60, rateHz: 1000 };

const runOf = (parts: Pick<CoverageRun, 'stream' | 'sampling' | 'quantiles' | 'runs'>) =>
  coverage({ ...parts, seed: 5000, resamples: 0 });

describe('95 % intervals hold', () => {
  test.each([
    { stream: independent(), sampling: { durationS: 10, rateHz: 1000 }, quantiles: [0.5, 0.99], runs: 200 },
    { stream: drifting(0.02), sampling: SECONDS_60, quantiles: [0.5, 0.99], runs: 80 },
    { stream: drifting(0.2), sampling: SECONDS_60, quantiles: [0.5], runs: 80 },
    { stream: markovStalls(0.02, 2), sampling: SECONDS_60, quantiles: [0.5, 0.99], runs: 80 },
    { stream: periodicStalls(1, 0.005, 0.035), sampling: SECONDS_60, quantiles: [0.5, 0.99], runs: 80 },
  ])(
    '$stream.name, $sampling.durationS s',
    ({ stream, sampling, quantiles, runs }) => {
      for (const { q, given, givenTooHigh, givenTooLow } of runOf({ stream, sampling, quantiles, runs })) {
        expect(given, `P${100 * q} is given`).toBeGreaterThanOrEqual(0.95 * runs);
        const covered = (given - givenTooHigh - givenTooLow) / given;
        expect(covered, `P${100 * q} covers`).toBeGreaterThanOrEqual(0.93 - 3 * Math.sqrt((0.93 * 0.07) / given));
        // Both sides must be able to miss, or the interval is wider than it says.
        if (runs >= 200)
          expect(covered, `P${100 * q} covers`).toBeLessThanOrEqual(0.97 + 3 * Math.sqrt((0.97 * 0.03) / given));
      }
    },
    LIMIT_MS,
  );

  test(
    'stalls of 50 ms: too few in 10 s for P99, which is n/a, and the bounds that remain hold',
    () => {
      const runs = 150;
      const sampling = { durationS: 10, rateHz: 1000 };
      const [result] = runOf({ stream: markovStalls(0.05, 1), sampling, quantiles: [0.99], runs });
      expect(result?.given).toBeLessThan(0.1 * runs);
      expect(result?.boundsWrong).toBeLessThanOrEqual(0.12 * runs);
    },
    LIMIT_MS,
  );
});
