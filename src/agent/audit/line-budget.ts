/** So many at once, then one each period: what comes again and again does not fill the disk. */
const AT_ONCE = 64;
const PERIOD_MS = 10_000;
/** Keys that are counted by themselves; what comes beyond them is counted together. */
const MOST_KEYS = 256;
const OTHERS = '';

interface Bucket {
  left: number;
  atMs: number;
  untold: number;
}

/** Which refusals, and which drifts, get a line of their own. Those that get none are counted in the next line of the same key. */
export class LineBudget {
  readonly #buckets = new Map<string, Bucket>();

  /** How many before it got no line; undefined: this one gets none. */
  take(key: string, nowMs: number): number | undefined {
    const name = this.#buckets.has(key) || this.#buckets.size < MOST_KEYS ? key : OTHERS;
    const bucket = this.#buckets.get(name) ?? { left: AT_ONCE, atMs: nowMs, untold: 0 };
    this.#buckets.set(name, bucket);
    const periods = Math.floor((nowMs - bucket.atMs) / PERIOD_MS);
    bucket.left = Math.min(bucket.left + periods, AT_ONCE);
    bucket.atMs += periods * PERIOD_MS;
    if (bucket.left === 0) {
      bucket.untold++;
      return undefined;
    }
    bucket.left--;
    const { untold } = bucket;
    bucket.untold = 0;
    return untold;
  }
}
