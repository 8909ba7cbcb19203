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

/** The sum of a header's bytes with its checksum field taken as spaces, see pax(1), ustar header block. `at` is where
 *  the header starts. Of all that is done with a large snapshot this loop is the longest, so it has no branch. */
export function sumHeader(archive: Buffer, at: number): number {
  let sum = 8 * 0x20;
  for (let index = at; index < at + 148; index++) sum += archive[index] as number;
  for (let index = at + 156; index < at + TAR_BLOCK; index++) sum += archive[index] as number;
  return sum;
}
