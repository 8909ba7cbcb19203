import type { Block, Gaps } from './block.ts';
import { BadFrame, type Frame } from './frames.ts';
import { type ProbeClock, type ProbeMeta, type ProbeResult, parseMeta, parseResult, type StreamMeta } from './meta.ts';

/** What one start of hft-probe measured. */
export interface ProbeRun {
  readonly meta: ProbeMeta;
  /** In the order of META. */
  readonly streams: readonly ProbeStream[];
  readonly result: ProbeResult;
}

export interface ProbeStream extends StreamMeta {
  /** In the order of time. */
  readonly blocks: readonly Block[];
  /** The largest of them, where the stream is one of gaps; result.lost says how many are not here. */
  readonly gaps: Gaps;
}

/** A moment of the run's clock on CLOCK_MONOTONIC_RAW. Exact to 1 ns for years: the difference is what is converted. */
export function rawNsAt(clock: ProbeClock, ticks: bigint): bigint {
  return clock.epochNs + BigInt(Math.round((Number(ticks - clock.epochTicks) * 1e9) / clock.hz));
}

export function nsOfTicks(clock: ProbeClock, ticks: bigint): number {
  return (Number(ticks) * 1e9) / clock.hz;
}

type BlockFrame = Extract<Frame, { type: 'block' }>;
type GapsFrame = Extract<Frame, { type: 'gaps' }>;

/** Puts the frames of one run together. */
export class RunAssembly {
  #meta: ProbeMeta | undefined;
  #result: ProbeResult | undefined;
  readonly #blocks = new Map<number, BlockFrame[]>();
  readonly #gaps = new Map<number, GapsFrame[]>();

  /** Throws BadFrame, BadReport: a frame that cannot be there. */
  add(frame: Frame): void {
    if (this.#result !== undefined) throw new BadFrame(0, 'nothing after RESULT', frame.type);
    if (this.#meta === undefined && frame.type !== 'meta') throw new BadFrame(0, 'META first', frame.type);
    if (this.#meta !== undefined && frame.type === 'meta') throw new BadFrame(0, 'one META', 'another');
    if (frame.type === 'meta') this.#start(parseMeta(frame.json));
    if (frame.type === 'result') this.#result = parseResult(frame.json);
    if (frame.type === 'block') this.#listOf(this.#blocks, frame.stream).push(frame);
    if (frame.type === 'gaps') this.#listOf(this.#gaps, frame.stream).push(frame);
  }

  get meta(): ProbeMeta | undefined {
    return this.#meta;
  }

  /** undefined while RESULT is missing. */
  finish(): ProbeRun | undefined {
    if (this.#meta === undefined || this.#result === undefined) return undefined;
    const startRawNs = rawNsAt(this.#meta.clock, this.#result.startTicks);
    const streams = this.#meta.streams.map((stream) => ({
      ...stream,
      blocks: this.#listOf(this.#blocks, stream.id).map((frame) => ({
        ...frame.block,
        startNs: Number(frame.startRawNs - startRawNs),
      })),
      gaps: joinGaps(this.#listOf(this.#gaps, stream.id)),
    }));
    return { meta: this.#meta, streams, result: this.#result };
  }

  #start(meta: ProbeMeta): void {
    this.#meta = meta;
    for (const { id } of meta.streams) {
      this.#blocks.set(id, []);
      this.#gaps.set(id, []);
    }
  }

  #listOf<T>(lists: ReadonlyMap<number, T[]>, stream: number): T[] {
    const list = lists.get(stream);
    if (list === undefined)
      throw new BadFrame(0, `a stream that META names (${[...lists.keys()].join(', ')})`, `stream ${stream}`);
    return list;
  }
}

function joinGaps(frames: readonly GapsFrame[]): Gaps {
  const total = frames.reduce((sum, { gaps }) => sum + gaps.starts.length, 0);
  const joined = { starts: new BigUint64Array(total), ends: new BigUint64Array(total) };
  let at = 0;
  for (const { gaps } of frames) {
    joined.starts.set(gaps.starts, at);
    joined.ends.set(gaps.ends, at);
    at += gaps.starts.length;
  }
  return joined;
}
