import { deflateSync } from 'node:zlib';
import type { Histogram } from './histogram.ts';
import { appendZigzag } from './zigzag.ts';

/**
 * The payload of an HDR log, big endian. Written: compressed V2, which is cookie, bytes that follow, zlib of (cookie, bytes of
 * counts, index offset, digits, lowest i64, highest i64, ratio f64, counts). https://github.com/HdrHistogram/HdrHistogram
 * (AbstractHistogram). payload-read.ts reads that and the older ones.
 */
const COMPRESSED = 0x1c849314;
const PLAIN = 0x1c849313;
const HEADER_BYTES = 40;
const INT64_MAX = 2n ** 63n - 1n;
/** The base64 text of a log line. */
export function encodePayload(histogram: Histogram): string {
  const counts = encodeCounts(histogram);
  const plain = Buffer.alloc(HEADER_BYTES + counts.length);
  const { layout } = histogram;
  plain.writeUInt32BE(PLAIN, 0);
  plain.writeUInt32BE(counts.length, 4);
  plain.writeInt32BE(0, 8);
  plain.writeInt32BE(layout.significantDigits, 12);
  plain.writeBigInt64BE(BigInt(layout.lowestDiscernible), 16);
  const highest = BigInt(layout.highestTrackable);
  plain.writeBigInt64BE(highest > INT64_MAX ? INT64_MAX : highest, 24);
  plain.writeDoubleBE(1, 32);
  plain.set(counts, HEADER_BYTES);
  const packed = deflateSync(plain);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(COMPRESSED, 0);
  head.writeUInt32BE(packed.length, 4);
  return Buffer.concat([head, packed]).toString('base64');
}

function encodeCounts(histogram: Histogram): number[] {
  const bytes: number[] = [];
  let next = 0;
  for (const [bucket, count] of histogram.recorded()) {
    if (bucket - next === 1) bytes.push(0);
    else if (bucket > next) appendZigzag(bytes, next - bucket);
    appendZigzag(bytes, count);
    next = bucket + 1;
  }
  return bytes;
}
