import { HftError } from '../../errors.ts';
import type { Block, Gaps } from './block.ts';

/**
 * The output of hft-probe (agents/probes/frames.c): frames, little endian, `u32 type, u32 payloadBytes`, then the payload, padded
 * to 8 bytes.
 *   1 META    JSON; the first frame
 *   2 BLOCK   u32 stream, u32 block, u64 startNs, u64 durationNs, u64 count, u64 minNs, u64 maxNs, u64 sumNs, u32 pairs, u32 0,
 *             then pairs of u32 bucket, u32 count. startNs is CLOCK_MONOTONIC_RAW.
 *   3 GAPS    u32 stream, u32 n, then n of u64 startTicks, u64 endTicks
 *   4 RESULT  JSON; the last frame. Without it the run was cut off.
 */
export type Frame =
  | { readonly type: 'meta' | 'result'; readonly json: unknown }
  | {
      readonly type: 'block';
      readonly stream: number;
      readonly startRawNs: bigint;
      readonly block: Omit<Block, 'startNs'>;
    }
  | { readonly type: 'gaps'; readonly stream: number; readonly gaps: Gaps };

/** The output is not what hft-probe writes: another program, another version, or a bug there. Exit 3. */
export class BadFrame extends HftError {
  constructor(atByte: number, expected: string, got: string) {
    super(`The output of hft-probe is damaged at byte ${atByte}: expected ${expected}, got ${got}.`, {
      exitCode: 3,
      next: ['Check that hft-probe and hft are of one version: reinstall hft, or run `npm run build`.'],
    });
  }
}

const HEAD_BYTES = 8;
const BLOCK_HEAD_BYTES = 64;
/** A block with every bucket in use has 270 KB. */
const MOST_PAYLOAD_BYTES = 1024 * 1024;
/** See src/latency/histogram. */
const BUCKETS = 33 * 1024;

/** Cuts a stream of bytes into frames, wherever the pieces that come are cut. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  /** Of the first byte of #rest. */
  #offset = 0;

  /** The frames that are complete with this piece. Throws BadFrame. */
  *push(piece: Buffer): Generator<Frame> {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (this.#rest.length >= HEAD_BYTES) {
      const type = this.#rest.readUInt32LE(0);
      const bytes = this.#rest.readUInt32LE(4);
      const read = READERS[type];
      if (read === undefined) throw new BadFrame(this.#offset, 'a frame of type 1 to 4', `type ${type}`);
      if (bytes > MOST_PAYLOAD_BYTES) {
        throw new BadFrame(this.#offset + 4, `at most ${MOST_PAYLOAD_BYTES} bytes in a frame`, `${bytes}`);
      }
      const end = HEAD_BYTES + Math.ceil(bytes / 8) * 8;
      if (this.#rest.length < end) return;
      const payload = { bytes: this.#rest.subarray(HEAD_BYTES, HEAD_BYTES + bytes), at: this.#offset + HEAD_BYTES };
      this.#rest = this.#rest.subarray(end);
      this.#offset += end;
      yield read(payload);
    }
  }

  /** How many bytes of a frame that never became complete there are: 0 when the output ended with a frame. */
  get torn(): number {
    return this.#rest.length;
  }
}

interface Payload {
  readonly bytes: Buffer;
  /** Where it starts in the output. */
  readonly at: number;
}

const READERS: Readonly<Record<number, (payload: Payload) => Frame>> = {
  1: (payload) => ({ type: 'meta', json: readJson(payload) }),
  2: readBlock,
  3: readGaps,
  4: (payload) => ({ type: 'result', json: readJson(payload) }),
};

function readJson({ bytes, at }: Payload): unknown {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new BadFrame(at, 'JSON', JSON.stringify(text.slice(0, 80)));
  }
}

function readBlock({ bytes, at }: Payload): Frame {
  if (bytes.length < BLOCK_HEAD_BYTES)
    throw new BadFrame(at, `a block of ${BLOCK_HEAD_BYTES} bytes or more`, `${bytes.length}`);
  const pairs = bytes.readUInt32LE(56);
  const expected = BLOCK_HEAD_BYTES + 8 * pairs;
  if (bytes.length !== expected)
    throw new BadFrame(at, `${expected} bytes for ${pairs} buckets`, `${bytes.length} bytes`);
  const big = (offset: number) => Number(bytes.readBigUInt64LE(offset));
  const { buckets, counts } = readCounts({ bytes: bytes.subarray(BLOCK_HEAD_BYTES), at: at + BLOCK_HEAD_BYTES });
  const count = counts.reduce((sum, one) => sum + one, 0);
  if (count !== big(24)) throw new BadFrame(at + 24, `the sum of the counts, ${count}`, `${big(24)}`);
  return {
    type: 'block',
    stream: bytes.readUInt32LE(0),
    startRawNs: bytes.readBigUInt64LE(8),
    block: {
      block: bytes.readUInt32LE(4),
      durationNs: big(16),
      count,
      minNs: big(32),
      maxNs: big(40),
      sumNs: big(48),
      buckets,
      counts,
    },
  };
}

function readCounts({ bytes, at }: Payload): Pick<Block, 'buckets' | 'counts'> {
  const pairs = bytes.length / 8;
  const buckets = new Uint32Array(pairs);
  const counts = new Uint32Array(pairs);
  let least = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const bucket = bytes.readUInt32LE(8 * pair);
    const count = bytes.readUInt32LE(8 * pair + 4);
    if (bucket < least || bucket >= BUCKETS)
      throw new BadFrame(at + 8 * pair, `a bucket from ${least} to ${BUCKETS - 1}`, `${bucket}`);
    if (count === 0) throw new BadFrame(at + 8 * pair + 4, 'a count above 0', '0');
    buckets[pair] = bucket;
    counts[pair] = count;
    least = bucket + 1;
  }
  return { buckets, counts };
}

function readGaps({ bytes, at }: Payload): Frame {
  const count = bytes.length < 8 ? 0 : bytes.readUInt32LE(4);
  const expected = 8 + 16 * count;
  if (bytes.length !== expected) throw new BadFrame(at, `${expected} bytes for ${count} gaps`, `${bytes.length} bytes`);
  const starts = new BigUint64Array(count);
  const ends = new BigUint64Array(count);
  for (let gap = 0; gap < count; gap++) {
    starts[gap] = bytes.readBigUInt64LE(8 + 16 * gap);
    ends[gap] = bytes.readBigUInt64LE(16 + 16 * gap);
  }
  return { type: 'gaps', stream: bytes.readUInt32LE(0), gaps: { starts, ends } };
}
