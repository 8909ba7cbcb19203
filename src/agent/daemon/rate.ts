import { LIMITS } from '../protocol/limits.ts';

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

/** How many requests each controller may still make: `burst` at once, filled again by `perSecond`. */
export class Rate {
  readonly #buckets = new Map<string, Bucket>();

  /** True when it may make one now. `nowMs` never goes back. */
  take(key: string, nowMs: number): boolean {
    const { left, atMs } = this.#buckets.get(key) ?? { left: LIMITS.burst, atMs: nowMs };
    const filled = Math.min(LIMITS.burst, left + ((nowMs - atMs) / 1_000) * LIMITS.perSecond);
    const may = filled >= 1;
    this.#buckets.set(key, { left: may ? filled - 1 : filled, atMs: nowMs });
    return may;
  }
}
