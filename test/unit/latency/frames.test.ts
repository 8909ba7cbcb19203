import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HftError } from '../../../src/errors.ts';
import { BadFrame, type Frame, FrameReader } from '../../../src/latency/probe/frames.ts';

function frame(type: number, payload: Buffer, declared = payload.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(declared, 4);
  return Buffer.concat([head, payload, Buffer.alloc((8 - (payload.length % 8)) % 8)]);
}

const json = (type: number, value: unknown) => frame(type, Buffer.from(JSON.stringify(value)));

function block(
  pairs: readonly (readonly [bucket: number, count: number])[],
  declared = pairs.length,
  count?: number,
): Buffer {
  const payload = Buffer.alloc(64 + 8 * pairs.length);
  payload.writeUInt32LE(3, 0);
  payload.writeUInt32LE(9, 4);
  payload.writeBigUInt64LE(2n ** 53n + 1n, 8);
  payload.writeBigUInt64LE(100n, 16);
  payload.writeBigUInt64LE(BigInt(count ?? pairs.reduce((sum, [, one]) => sum + one, 0)), 24);
  payload.writeBigUInt64LE(1n, 32);
  payload.writeBigUInt64LE(7n, 40);
  payload.writeBigUInt64LE(20n, 48);
  payload.writeUInt32LE(declared, 56);
  for (const [index, [bucket, one]] of pairs.entries()) {
    payload.writeUInt32LE(bucket, 64 + 8 * index);
    payload.writeUInt32LE(one, 68 + 8 * index);
  }
  return frame(2, payload);
}

function gaps(times: readonly (readonly [bigint, bigint])[], declared = times.length): Buffer {
  const payload = Buffer.alloc(8 + 16 * times.length);
  payload.writeUInt32LE(2, 0);
  payload.writeUInt32LE(declared, 4);
  for (const [index, [start, end]] of times.entries()) {
    payload.writeBigUInt64LE(start, 8 + 16 * index);
    payload.writeBigUInt64LE(end, 16 + 16 * index);
  }
  return frame(3, payload);
}

function readAll(...pieces: readonly Buffer[]): Frame[] {
  const reader = new FrameReader();
  const frames = pieces.flatMap((piece) => [...reader.push(piece)]);
  expect(reader.torn).toBe(0);
  return frames;
}

const WHOLE = Buffer.concat([
  json(1, { probe: 'jitter' }),
  block([
    [1, 2],
    [33791, 4_000_000_000],
  ]),
  block([]),
  gaps([[2n ** 63n, 2n ** 63n + 5n]]),
  json(4, { done: 'ä' }),
]);

test('each type is read', () => {
  const [meta, full, empty, listed, result] = readAll(WHOLE);
  expect(meta).toEqual({ type: 'meta', json: { probe: 'jitter' } });
  expect(full).toEqual({
    type: 'block',
    stream: 3,
    startRawNs: 2n ** 53n + 1n,
    block: {
      block: 9,
      durationNs: 100,
      count: 4_000_000_002,
      minNs: 1,
      maxNs: 7,
      sumNs: 20,
      buckets: Uint32Array.of(1, 33791),
      counts: Uint32Array.of(2, 4_000_000_000),
    },
  });
  expect(empty).toMatchObject({ block: { count: 0, buckets: new Uint32Array(0) } });
  expect(listed).toEqual({
    type: 'gaps',
    stream: 2,
    gaps: { starts: BigUint64Array.of(2n ** 63n), ends: BigUint64Array.of(2n ** 63n + 5n) },
  });
  expect(result).toEqual({ type: 'result', json: { done: 'ä' } });
});

test('it does not matter where the output is cut into pieces', () => {
  const whole = readAll(WHOLE);
  for (let at = 0; at <= WHOLE.length; at++) {
    expect(readAll(WHOLE.subarray(0, at), WHOLE.subarray(at))).toEqual(whole);
  }
  expect(readAll(...Array.from(WHOLE, (byte) => Buffer.of(byte)))).toEqual(whole);
});

test('an output that ends early gives the frames before the end and says how much is left over', () => {
  const ends = [...readAll(WHOLE)].length;
  for (let length = 0; length < WHOLE.length; length++) {
    const reader = new FrameReader();
    const frames = [...reader.push(WHOLE.subarray(0, length))];
    expect(frames.length).toBeLessThan(ends);
    expect(frames).toEqual(readAll(WHOLE).slice(0, frames.length));
  }
});

describe('what hft-probe does not write', () => {
  const WRONG: readonly (readonly [what: string, bytes: Buffer, says: RegExp])[] = [
    ['an unknown type', frame(9, Buffer.alloc(8)), /at byte 0: expected a frame of type 1 to 4, got type 9/],
    ['type 0', Buffer.alloc(16), /got type 0/],
    ['text', Buffer.from('Segmentation fault\n'), /got type/],
    [
      'an absurd size',
      frame(2, Buffer.alloc(0), 0xffff_ffff),
      /at byte 4: expected at most 1048576 bytes in a frame, got 4294967295/,
    ],
    ['a size just too large', frame(2, Buffer.alloc(0), 1024 * 1024 + 1), /at most/],
    ['no JSON', frame(1, Buffer.from('{"probe":')), /at byte 8: expected JSON, got "{/],
    ['empty JSON', frame(4, Buffer.alloc(0)), /expected JSON, got ""/],
    ['a block without its head', frame(2, Buffer.alloc(56)), /a block of 64 bytes or more, got 56/],
    ['more pairs than there are', block([[1, 1]], 2), /expected 80 bytes for 2 buckets, got 72/],
    ['fewer pairs than there are', block([[1, 1]], 0), /expected 64 bytes for 0 buckets/],
    ['an absurd number of pairs', block([[1, 1]], 0xffff_ffff), /for 4294967295 buckets/],
    ['a bucket beyond the last', block([[33792, 1]]), /a bucket from 0 to 33791, got 33792/],
    [
      'buckets out of order',
      block([
        [5, 1],
        [5, 1],
      ]),
      /a bucket from 6 to 33791, got 5/,
    ],
    ['a count of nothing', block([[5, 0]]), /a count above 0/],
    ['a count that is not the sum', block([[5, 3]], 1, 4), /the sum of the counts, 3, got 4/],
    ['more gaps than there are', gaps([[1n, 2n]], 2), /expected 40 bytes for 2 gaps, got 24/],
    ['gaps without their head', frame(3, Buffer.alloc(4)), /expected 8 bytes for 0 gaps, got 4/],
  ];

  test.each(WRONG)('%s', (_, bytes, says) => {
    const read = () => readAll(bytes);
    expect(read).toThrow(BadFrame);
    expect(read).toThrow(says);
  });

  test('the place counts from the start of the output', () => {
    expect(() => readAll(WHOLE, frame(7, Buffer.alloc(0)))).toThrow(`at byte ${WHOLE.length}: expected`);
  });

  test('any damage is an error for users or another frame, never a bug', () => {
    fc.assert(
      fc.property(fc.nat(WHOLE.length - 1), fc.nat(255), fc.nat(WHOLE.length), (at, value, length) => {
        const damaged = Buffer.from(WHOLE.subarray(0, length));
        if (at < length) damaged[at] = value;
        const reader = new FrameReader();
        try {
          Array.from(reader.push(damaged));
        } catch (error) {
          expect(error).toBeInstanceOf(HftError);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});
