/**
 * What one stream saw in a short time (100 ms usually): only the counters that are not 0. The ordered blocks of a stream are what
 * the statistics work on, because how the blocks vary tells how far the samples depend on each other.
 */
export interface Block {
  /** From the start of the run; ns. */
  readonly startNs: number;
  readonly durationNs: number;
  readonly count: number;
  /** Exact, not of a bucket. 0 when count is 0. */
  readonly minNs: number;
  readonly maxNs: number;
  readonly sumNs: number;
  /** Indexes into the counts array, ascending, each once. */
  readonly buckets: Uint32Array;
  /** The count of each; all above 0. */
  readonly counts: Uint32Array | Float64Array;
}
