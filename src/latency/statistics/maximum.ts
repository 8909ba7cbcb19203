import type { Block } from '../histogram/block.ts';

/** The exact extremes of what was seen. Descriptive: a longer run has a larger maximum, so no interval and no verdict. */
export interface Maximum {
  readonly minNs: number;
  readonly maxNs: number;
  readonly count: number;
  /** How long was watched. */
  readonly exposureNs: number;
  /** Events of a kind that was never seen come less often than this, with 95 % confidence: 3 in the time watched. */
  readonly unseenPerSecondMax: number;
}

export function maximumOf(blocks: readonly Block[]): Maximum {
  const seen = blocks.filter((block) => block.count > 0);
  const exposureNs = blocks.reduce((sum, block) => sum + block.durationNs, 0);
  return {
    minNs: seen.reduce((min, block) => Math.min(min, block.minNs), Number.POSITIVE_INFINITY),
    maxNs: seen.reduce((max, block) => Math.max(max, block.maxNs), 0),
    count: seen.reduce((sum, block) => sum + block.count, 0),
    exposureNs,
    unseenPerSecondMax: unseenPerSecondMax(exposureNs),
  };
}

/** The rule of three, -ln(0.05) in the time watched: the rate at which seeing none would have a probability of 5 %. */
export function unseenPerSecondMax(exposureNs: number): number {
  return -Math.log(0.05) / (exposureNs / 1e9);
}
