/**
 * What one stream saw in a part of its run (100 ms usually): only the counters that are not 0. The buckets are HdrHistogram's for
 * 1 ns to 1 h with 3 significant digits.
 */
export interface Block {
  /** Which part, from 0. One is missing where the program's control thread got no CPU: the block before it is longer. */
  readonly block: number;
  /** From the start of the run; ns. */
  readonly startNs: number;
  /** What the stream covers of it; less than the block's length where the stream paused. */
  readonly durationNs: number;
  readonly count: number;
  /** Exact, not of a bucket; 0 when count is 0. */
  readonly minNs: number;
  readonly maxNs: number;
  readonly sumNs: number;
  /** Indexes into the counts array, ascending, each once. */
  readonly buckets: Uint32Array;
  /** The count of each; all above 0. */
  readonly counts: Uint32Array;
}

/** Times between two reads of the clock at which something else had the CPU, in raw ticks of the run's clock, in order. */
export interface Gaps {
  readonly starts: BigUint64Array;
  readonly ends: BigUint64Array;
}
