/**
 * Synthetic latency streams whose quantiles are known exactly, for checking the statistics. A stream is sampled at a fixed rate, as probes
 * keep it, and handed over as the blocks that a probe would send. A sample is the larger of a quick latency (lognormal) and what is left of
 * the stall that it falls into, so the distribution is the product of the two: P(X <= x) = P(quick <= x) P(rest <= x).
 */
import type { Block } from '../../src/latency/histogram/block.ts';
import { bucketOf, PROBE_LAYOUT } from '../../src/latency/histogram/layout.ts';
import { normalBelow } from '../../src/latency/statistics/distributions.ts';
import type { Random } from '../../src/latency/statistics/random.ts';

export interface Sampling {
  readonly durationS: number;
  readonly rateHz: number;
}

export interface Stream {
  readonly name: string;
  readonly what: string;
  readonly sample: (random: Random, sampling: Sampling) => Block[];
  /** P(X <= x), exactly. */
  readonly probabilityBelow: (valueNs: number) => number;
}

const MEDIAN_NS = 2000;
const SIGMA = 0.5;
const BLOCK_S = 0.1;

/** Standard normals in pairs, by Marsaglia's polar method. */
export function normals(random: Random): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const u = 2 * random.uniform() - 1;
      const v = 2 * random.uniform() - 1;
      const s = u * u + v * v;
      if (s >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * factor;
      return u * factor;
    }
  };
}

export const exponential = (random: Random, mean: number) => -mean * Math.log(random.uniform());

const quickBelow = (valueNs: number) => (valueNs <= 0 ? 0 : normalBelow(Math.log(valueNs / MEDIAN_NS) / SIGMA));

/** Probes take their samples out of step with round times (agents/probes/pacing.h). */
const OUT_OF_STEP = 1.000618034;

/** Blocks of the latencies that `latencyNs` gives one after the other; its argument is the time of the sample in s. */
function blocksOf({ durationS, rateHz }: Sampling, latencyNs: (timeS: number) => number): Block[] {
  const perBlock = Math.round(rateHz * BLOCK_S);
  const counts = new Uint32Array(PROBE_LAYOUT.bucketCount);
  const blocks: Block[] = [];
  for (let i = 0; i < Math.round(durationS / BLOCK_S); i++) {
    const touched: number[] = [];
    const summary = { minNs: Number.POSITIVE_INFINITY, maxNs: 0, sumNs: 0 };
    for (let k = 0; k < perBlock; k++) {
      const value = Math.round(latencyNs(((i * perBlock + k) / rateHz) * OUT_OF_STEP));
      const bucket = bucketOf(PROBE_LAYOUT, value);
      if (counts[bucket] === 0) touched.push(bucket);
      counts[bucket] = (counts[bucket] as number) + 1;
      summary.sumNs += value;
      if (value < summary.minNs) summary.minNs = value;
      if (value > summary.maxNs) summary.maxNs = value;
    }
    const buckets = Uint32Array.from(touched).sort();
    blocks.push({
      startNs: i * BLOCK_S * 1e9,
      durationNs: BLOCK_S * 1e9,
      count: perBlock,
      ...summary,
      buckets,
      counts: buckets.map((bucket) => counts[bucket] as number),
    });
    for (const bucket of touched) counts[bucket] = 0;
  }
  return blocks;
}

export function independent(): Stream {
  return {
    name: 'iid',
    what: 'independent lognormal',
    sample: (random, sampling) => {
      const normal = normals(random);
      return blocksOf(sampling, () => MEDIAN_NS * Math.exp(SIGMA * normal()));
    },
    probabilityBelow: quickBelow,
  };
}

/** ln X is an AR(1) process whose correlation falls to 1/e in `correlationS`. */
export function drifting(correlationS: number): Stream {
  return {
    name: `ar1-${correlationS * 1000}ms`,
    what: `lognormal, AR(1) with ${correlationS * 1000} ms`,
    sample: (random, sampling) => {
      const normal = normals(random);
      const keep = Math.exp(-1 / (sampling.rateHz * correlationS));
      const fresh = Math.sqrt(1 - keep * keep);
      let state = normal();
      return blocksOf(sampling, () => {
        state = keep * state + fresh * normal();
        return MEDIAN_NS * Math.exp(SIGMA * state);
      });
    },
    probabilityBelow: quickBelow,
  };
}

/** Stalls one after the other; `next` gives start and end in s, ascending. What is left of the stall at a time, in ns. */
function restOf(next: () => { startS: number; endS: number }): (timeS: number) => number {
  let stall = next();
  return (timeS) => {
    while (stall.endS <= timeS) stall = next();
    return stall.startS <= timeS ? (stall.endS - timeS) * 1e9 : 0;
  };
}

function stalling(parts: {
  readonly name: string;
  readonly what: string;
  readonly stalls: (random: Random) => () => { startS: number; endS: number };
  /** P(what is left of a stall > r) at a random time; r in s. */
  readonly restAbove: (restS: number) => number;
}): Stream {
  return {
    ...parts,
    sample: (random, sampling) => {
      const normal = normals(random);
      const rest = restOf(parts.stalls(random));
      return blocksOf(sampling, (timeS) => Math.max(MEDIAN_NS * Math.exp(SIGMA * normal()), rest(timeS)));
    },
    probabilityBelow: (valueNs) => quickBelow(valueNs) * (1 - parts.restAbove(valueNs / 1e9)),
  };
}

/** Two states, both exponential: a stall of `meanS`, then quiet for `quietS`. */
export function markovStalls(meanS: number, quietS: number): Stream {
  return stalling({
    name: `markov-${meanS * 1000}ms/${quietS}s`,
    what: `Markov stalls of ${meanS * 1000} ms after ${quietS} s on average`,
    stalls: (random) => {
      let endS = random.uniform() < meanS / (meanS + quietS) ? exponential(random, meanS) : Number.NaN;
      let first = !Number.isNaN(endS);
      if (!first) endS = 0;
      return () => {
        if (first) {
          first = false;
          return { startS: 0, endS };
        }
        const startS = endS + exponential(random, quietS);
        endS = startS + exponential(random, meanS);
        return { startS, endS };
      };
    },
    restAbove: (restS) => (meanS / (meanS + quietS)) * Math.exp(-restS / meanS),
  });
}

/** A stall every `periodS` from a random phase on, each of a length that is uniform from `fromS` to `toS`. */
export function periodicStalls(periodS: number, fromS: number, toS: number): Stream {
  return stalling({
    name: `periodic-${periodS}s`,
    what: `a stall of ${fromS * 1000} to ${toS * 1000} ms every ${periodS} s, random phase`,
    stalls: (random) => {
      let startS = -periodS * (1 + random.uniform());
      return () => {
        startS += periodS;
        return { startS, endS: startS + fromS + (toS - fromS) * random.uniform() };
      };
    },
    restAbove: (restS) => {
      // E(max(0, D - r)) / period for D uniform.
      const from = Math.max(fromS, Math.min(toS, restS));
      const above = ((toS - restS) ** 2 - (from - restS) ** 2) / 2 / (toS - fromS);
      return Math.max(0, restS >= toS ? 0 : above) / periodS;
    },
  });
}

/** The exact quantile, by bisection of the distribution. */
export function trueQuantileNs(stream: Stream, q: number): number {
  let [low, high] = [1, 1e12];
  for (let i = 0; i < 200; i++) {
    const middle = Math.sqrt(low * high);
    if (stream.probabilityBelow(middle) < q) low = middle;
    else high = middle;
  }
  return high;
}
