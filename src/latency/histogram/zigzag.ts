/**
 * Whole numbers as HdrHistogram's payload V2 has them: ZigZag, then LEB128 of at most 9 bytes, the ninth with all its 8 bits.
 * https://github.com/HdrHistogram/HdrHistogram (ZigZagEncoding). A positive number is a count, a negative one a run of zeros.
 */
const CONTINUES = 0x80;
const LAST_BYTE = 8;

/** `value` is a whole number of at most 2 ** 53 either way. */
export function appendZigzag(bytes: number[], value: number): void {
  let left = value >= 0 ? value * 2 : -value * 2 - 1;
  while (left >= CONTINUES) {
    bytes.push((left % CONTINUES) + CONTINUES);
    left = Math.floor(left / CONTINUES);
  }
  bytes.push(left);
}

/** Throws RangeError at a number that is cut off, or that is beyond what a JavaScript number holds exactly. */
export function readZigzag(bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } {
  let coded = 0n;
  for (let i = 0; i <= LAST_BYTE; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) throw new RangeError('the payload ends in the middle of a count');
    const isLast = i === LAST_BYTE || byte < CONTINUES;
    coded |= BigInt(i === LAST_BYTE ? byte : byte % CONTINUES) << BigInt(7 * i);
    if (isLast) return { value: decoded(coded), next: start + i + 1 };
  }
  throw new RangeError('unreachable');
}

function decoded(coded: bigint): number {
  const value = (coded >> 1n) ^ -(coded & 1n);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`a count of ${value} is beyond 2 ** 53`);
  }
  return Number(value);
}
