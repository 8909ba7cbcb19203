/** One thing in a tar archive, as hft reads and writes it. Paths are relative, without `.` and `..`. */
export type TarEntry =
  | { readonly kind: 'file'; readonly path: string; readonly content: Buffer }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** Another name of a file earlier in the archive. */
  | { readonly kind: 'same-file'; readonly path: string; readonly target: string };

export const TAR_BLOCK = 512;

/** Why an archive is refused, as the end of a sentence that starts with its name. */
export class BadArchive extends Error {}

const HEADER_WORDS = TAR_BLOCK / 4;
/** The checksum field, bytes 148 to 155. */
const CHECKSUM_WORDS = [37, 38];
const EVEN_BYTES = 0x00ff_00ff;

/**
 * The sum of a header's bytes with its checksum field taken as spaces, see pax(1), ustar header block. `at` is where
 * the header starts.
 */
export function sumHeader(archive: Buffer, at: number): number {
  return headerSums(archive.subarray(at, at + TAR_BLOCK))(0);
}

/** The sums of an archive's headers, by where they start: a multiple of the block. */
export function headerSums(archive: Buffer): (at: number) => number {
  const words = wordsOf(archive);
  return (at) => sumWords(words, at / 4);
}

/**
 * Of all that is done with a large snapshot this loop is the longest, so it adds four bytes at once: two by two, in
 * halves of a number that 128 words cannot fill.
 */
function sumWords(words: Uint32Array, start: number): number {
  let even = 0;
  let odd = 0;
  for (let index = start; index < start + HEADER_WORDS; index++) {
    const word = words[index] as number;
    even += word & EVEN_BYTES;
    odd += (word >>> 8) & EVEN_BYTES;
  }
  for (const index of CHECKSUM_WORDS) {
    const word = words[start + index] as number;
    even -= word & EVEN_BYTES;
    odd -= (word >>> 8) & EVEN_BYTES;
  }
  return 8 * 0x20 + (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
}

function wordsOf(archive: Buffer): Uint32Array {
  const { buffer, byteOffset, length } = archive;
  if (byteOffset % 4 === 0) return new Uint32Array(buffer, byteOffset, length >> 2);
  return new Uint32Array(Uint8Array.from(archive).buffer, 0, length >> 2);
}
