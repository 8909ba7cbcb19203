import { inflateSync } from 'node:zlib';
import { Histogram } from './histogram.ts';
import { bucketLayout } from './layout.ts';
import { readZigzag } from './zigzag.ts';

/**
 * The payloads that HdrHistogram has written since 2012, packed or not, by their cookies without the word size (bits 4 to 7: bytes of each
 * count in V0 and V1, of no use in V2). https://github.com/HdrHistogram/HdrHistogram (AbstractHistogram).
 */
type Version = 0 | 1 | 2;
const PLAIN: ReadonlyMap<number, Version> = new Map([
  [0x1c849303, 2],
  [0x1c849301, 1],
  [0x1c849308, 0],
]);
const PACKED: ReadonlyMap<number, Version> = new Map([
  [0x1c849304, 2],
  [0x1c849302, 1],
  [0x1c849309, 0],
]);
/** Histograms of fractions, which have no counter of a whole number of units. */
const DOUBLES: readonly number[] = [0x0c72124e, 0x0c72124f, 0x1c84930a, 0x1c84930b];

const HEADER_BYTES = { 0: 32, 1: 40, 2: 40 } as const;
const PACKED_HEADER_BYTES = 8;
/** A payload that unpacks to more is broken or hostile: 5 digits up to 2 ** 63 with every counter in use are less. */
const UNPACKED_BYTES_MAX = 2 ** 27;

/** Throws RangeError that says what is wrong with the payload; who knows the file and line says where. */
export function decodePayload(base64: string, unitNs = 1): Histogram {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, ''))
    throw new RangeError('the payload is not base64');
  if (bytes.length < PACKED_HEADER_BYTES)
    throw new RangeError(`the payload has ${bytes.length} bytes, too few for a histogram`);
  const packed = PACKED.get(withoutWordSize(bytes.readUInt32BE(0)));
  if (packed === undefined) return decodePlain(bytes, unitNs);
  const length = bytes.readUInt32BE(4);
  const body = bytes.subarray(PACKED_HEADER_BYTES);
  if (body.length < length) throw new RangeError(`the payload is cut off: ${body.length} of ${length} bytes`);
  return decodePlain(inflated(body.subarray(0, length)), unitNs);
}

function withoutWordSize(cookie: number): number {
  return (cookie & ~0xf0) >>> 0;
}

function inflated(packed: Uint8Array): Buffer {
  try {
    return inflateSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch (cause) {
    throw new RangeError(`the payload does not unpack: ${(cause as Error).message}`, { cause });
  }
}

interface Header {
  readonly version: Version;
  /** Bytes of each count; V2 has counts of varying length. */
  readonly wordBytes: number;
  readonly significantDigits: number;
  readonly lowestDiscernible: number;
  readonly highestTrackable: number;
  readonly counts: Buffer;
}

function decodePlain(plain: Buffer, unitNs: number): Histogram {
  const { version, wordBytes, counts, ...limits } = readHeader(plain);
  const layout = bucketLayout({ ...limits, unitNs });
  const pairs =
    version === 2 ? decodeCounts(counts, layout.bucketCount) : decodeWords(counts, wordBytes, layout.bucketCount);
  return Histogram.ofCounts(layout, pairs);
}

/** V0: cookie, digits, lowest i64, highest i64, total i64. V1 and V2: cookie, bytes of counts, index offset, digits, lowest i64, highest i64, ratio. */
function readHeader(plain: Buffer): Header {
  const cookie = plain.length < 4 ? 0 : plain.readUInt32BE(0);
  const version = PLAIN.get(withoutWordSize(cookie));
  if (version === undefined) throw new RangeError(`expected a histogram (HISTFAAA…), got ${nameCookie(cookie)}`);
  const headerBytes = HEADER_BYTES[version];
  if (plain.length < headerBytes) throw new RangeError(`the unpacked payload has ${plain.length} bytes, too few`);
  const body = plain.subarray(headerBytes);
  const length = version === 0 ? body.length : plain.readUInt32BE(4);
  if (body.length < length) throw new RangeError('the unpacked payload is cut off');
  // Of V2 the index offset is not used: counts are in order whatever it says, and hdr-histogram-js always writes 1.
  if (version === 1 && plain.readInt32BE(8) !== 0)
    throw new RangeError('a V1 histogram whose counts are shifted is not read');
  const at = version === 0 ? 4 : 12;
  return {
    version,
    wordBytes: (cookie & 0xe0) >> 4,
    significantDigits: plain.readInt32BE(at),
    lowestDiscernible: Number(plain.readBigInt64BE(at + 4)),
    highestTrackable: Number(plain.readBigInt64BE(at + 12)),
    counts: body.subarray(0, length),
  };
}

function nameCookie(cookie: number): string {
  if (DOUBLES.includes(withoutWordSize(cookie)) || DOUBLES.includes(cookie)) return 'a DoubleHistogram';
  return `something that starts with 0x${cookie.toString(16)}`;
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
    requireBucket(bucket, bucketCount);
    if (value > 0) yield [bucket, value];
    bucket += 1;
  }
}

/** V0 and V1: every count in as many bytes, 0 too. */
function* decodeWords(bytes: Buffer, wordBytes: number, bucketCount: number): Generator<readonly [number, number]> {
  if (wordBytes !== 2 && wordBytes !== 4 && wordBytes !== 8)
    throw new RangeError(`counts of ${wordBytes} bytes are not read`);
  if (bytes.length % wordBytes !== 0) throw new RangeError('the payload ends in the middle of a count');
  for (let bucket = 0; bucket < bytes.length / wordBytes; bucket++) {
    const count = readWord(bytes, bucket * wordBytes, wordBytes);
    if (count === 0) continue;
    requireBucket(bucket, bucketCount);
    yield [bucket, count];
  }
}

function readWord(bytes: Buffer, at: number, wordBytes: 2 | 4 | 8): number {
  const count = wordBytes === 8 ? Number(bytes.readBigInt64BE(at)) : bytes.readIntBE(at, wordBytes);
  if (count < 0) throw new RangeError(`a count of ${count} is negative`);
  if (!Number.isSafeInteger(count)) throw new RangeError(`a count of ${count} is beyond 2 ** 53`);
  return count;
}

function requireBucket(bucket: number, bucketCount: number): void {
  if (bucket >= bucketCount)
    throw new RangeError(`there are more than the ${bucketCount} counters that the header allows`);
}
