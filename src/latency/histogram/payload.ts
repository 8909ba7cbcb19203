import { deflateSync, inflateSync } from 'node:zlib';
import { Histogram } from './histogram.ts';
import { bucketLayout } from './layout.ts';
import { appendZigzag, readZigzag } from './zigzag.ts';

/**
 * The compressed payload V2 of an HDR log, big endian: cookie, bytes that follow, zlib of (cookie, bytes of counts, index offset,
 * digits, lowest i64, highest i64, ratio f64, counts). https://github.com/HdrHistogram/HdrHistogram (AbstractHistogram).
 */
const COMPRESSED = 0x1c849314;
const PLAIN = 0x1c849313;
const HEADER_BYTES = 40;
const INT64_MAX = 2n ** 63n - 1n;
/** A payload that unpacks to more is broken or hostile: 5 digits up to 2 ** 63 with every counter in use are less. */
const UNPACKED_BYTES_MAX = 2 ** 27;

/** What else HDR tools write, by the cookie without its word size. */
const OTHERS: ReadonlyMap<number, string> = new Map([
  [0x1c849303, 'an uncompressed V2 payload'],
  [0x1c849301, 'an uncompressed V1 payload'],
  [0x1c849302, 'a compressed V1 payload'],
  [0x1c849308, 'an uncompressed V0 payload'],
  [0x1c849309, 'a compressed V0 payload'],
  [0x0c72124e, 'a DoubleHistogram'],
  [0x0c72124f, 'a compressed DoubleHistogram'],
]);

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

/** Throws RangeError that says what is wrong with the payload; who knows the file and line says where. */
export function decodePayload(base64: string, unitNs = 1): Histogram {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, ''))
    throw new RangeError('the payload is not base64');
  if (bytes.length < 8) throw new RangeError(`the payload has ${bytes.length} bytes, too few for a histogram`);
  requireCookie(bytes.readUInt32BE(0), COMPRESSED);
  const length = bytes.readUInt32BE(4);
  if (bytes.length < 8 + length) throw new RangeError(`the payload is cut off: ${bytes.length - 8} of ${length} bytes`);
  return decodePlain(inflated(bytes.subarray(8, 8 + length)), unitNs);
}

function requireCookie(got: number, wanted: number): void {
  // The word size of V2 is told by nothing but the number of bytes of each count, so some writers leave those bits 0.
  const withoutWordSize = (cookie: number) => (cookie & ~0xf0) >>> 0;
  if (withoutWordSize(got) === withoutWordSize(wanted)) return;
  const name =
    OTHERS.get(withoutWordSize(got)) ?? OTHERS.get(got) ?? `something that starts with 0x${got.toString(16)}`;
  throw new RangeError(`expected a compressed V2 payload (HISTFAAA…), got ${name}`);
}

function inflated(packed: Uint8Array): Buffer {
  try {
    return inflateSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch (cause) {
    throw new RangeError(`the payload does not unpack: ${(cause as Error).message}`, { cause });
  }
}

function decodePlain(plain: Buffer, unitNs: number): Histogram {
  if (plain.length < HEADER_BYTES) throw new RangeError(`the unpacked payload has ${plain.length} bytes, too few`);
  requireCookie(plain.readUInt32BE(0), PLAIN);
  const length = plain.readUInt32BE(4);
  if (plain.length < HEADER_BYTES + length) throw new RangeError('the unpacked payload is cut off');
  // The index offset at 8 is not used: counts are in order whatever it says, and hdr-histogram-js always writes 1.
  const layout = bucketLayout({
    significantDigits: plain.readInt32BE(12),
    lowestDiscernible: Number(plain.readBigInt64BE(16)),
    highestTrackable: Number(plain.readBigInt64BE(24)),
    unitNs,
  });
  return Histogram.ofCounts(
    layout,
    decodeCounts(plain.subarray(HEADER_BYTES, HEADER_BYTES + length), layout.bucketCount),
  );
}

function* decodeCounts(bytes: Uint8Array, bucketCount: number): Generator<readonly [number, number]> {
  let bucket = 0;
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = readZigzag(bytes, at);
    at = next;
    if (value < 0) {
      bucket -= value;
      continue;
    }
    if (bucket >= bucketCount)
      throw new RangeError(`there are more than the ${bucketCount} counters that the header allows`);
    if (value > 0) yield [bucket, value];
    bucket += 1;
  }
}
