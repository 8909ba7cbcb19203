import type { Block } from '../histogram/block.ts';
import { nsOfTicks, type ProbeRun, type ProbeStream } from '../probe/run.ts';
import type { Gap } from '../statistics/jitter.ts';

/**
 * The gaps of a stream in ns since the start of its run, each once. Where not all are listed one by one (the ring of the probe
 * holds the longest), they are made of the histograms: in its block, at the middle of its bucket, one after the other. That
 * keeps every sum over a block, which is all that the delay of a random arrival is computed from.
 */
export function gapsOf({ meta, result }: ProbeRun, stream: ProbeStream, middleNs: (bucket: number) => number): Gap[] {
  const { starts, ends } = stream.gaps;
  const counted = stream.blocks.reduce((sum, { count }) => sum + count, 0);
  if (starts.length < counted) return gapsOfBlocks(stream.blocks, middleNs);
  const sinceStartNs = (ticks: bigint) => Math.max(0, nsOfTicks(meta.clock, ticks - result.startTicks));
  return Array.from(starts, (start, index) => ({
    startNs: sinceStartNs(start),
    endNs: sinceStartNs(ends[index] as bigint),
  }));
}

/** A gap is counted in the block in which it ends, so they are laid down from its end backwards. */
export function gapsOfBlocks(blocks: readonly Block[], middleNs: (bucket: number) => number): Gap[] {
  return blocks.flatMap(({ startNs, durationNs, buckets, counts, maxNs }) => {
    const found: Gap[] = [];
    let endNs = startNs + durationNs;
    buckets.forEach((bucket, index) => {
      const lengthNs = Math.min(maxNs, middleNs(bucket));
      for (let each = 0; each < (counts[index] as number); each++) {
        found.push({ startNs: Math.max(0, endNs - lengthNs), endNs });
        endNs -= lengthNs;
      }
    });
    return found.reverse();
  });
}
