import fs from 'node:fs';
import zlib from 'node:zlib';
import { UsageError } from '../errors.ts';
import { onPath } from './errno.ts';
import { MemoryTree } from './memory-tree.ts';
import type { TreeFolder } from './snapshot-tree.ts';
import { BadArchive, TAR_BLOCK } from './tar-entry.ts';
import { looksLikeTar, readTar } from './tar-read.ts';

/**
 * A tar is read in memory and never unpacked: nothing can be written outside, no device node is made and nothing is
 * left behind. The dumps of real machines are 1 to 20 MB when unpacked.
 */
const MOST_UNPACKED_BYTES = 512 * 1024 * 1024;

/** Larger than zlib's 16 KiB: a snapshot unpacks to megabytes. */
const CHUNK_BYTES = 1024 * 1024;
/** What is set aside at once on the word of a file that may lie. */
const MOST_CHUNK_BYTES = 64 * 1024 * 1024;

type Unpack = (packed: Buffer, mostBytes: number) => Promise<Buffer>;

const FORMATS: readonly { readonly name: string; readonly magic: Buffer; readonly unpack: Unpack }[] = [
  { name: 'gzip', magic: Buffer.from([0x1f, 0x8b]), unpack: unpackGzip },
  { name: 'zstd', magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), unpack: unpackZstd },
  { name: 'bzip2', magic: Buffer.from('BZh'), unpack: (packed, most) => unpackBy('bzip2', packed, most) },
  {
    name: 'xz',
    magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
    unpack: (packed, most) => unpackBy('xz', packed, most),
  },
];

/** The file tree of a tar, plain or packed. Throws UsageError: damaged, hostile, too large, no tar at all. */
export async function openArchiveTree(path: string, mostBytes = MOST_UNPACKED_BYTES): Promise<TreeFolder> {
  const stats = onPath('read', path, () => fs.statSync(path));
  try {
    if (!stats.isFile()) throw new BadArchive('it is neither a folder nor a file');
    if (stats.size > mostBytes) throw tooLarge(mostBytes);
    const archive = await unpack(
      onPath('read', path, () => fs.readFileSync(path)),
      mostBytes,
    );
    const tree = new MemoryTree();
    for (const entry of readTar(archive)) tree.add(entry);
    return tree;
  } catch (error) {
    if (!(error instanceof BadArchive)) throw error;
    throw new UsageError(`${path} cannot be used as a snapshot: ${error.message}.`, {
      next: ['Give a folder that holds /proc and /sys of a machine, or a tar of one as `hft snapshot FILE` makes it.'],
      cause: error,
    });
  }
}

async function unpack(packed: Buffer, mostBytes: number): Promise<Buffer> {
  const format = FORMATS.find(({ magic }) => packed.subarray(0, magic.length).equals(magic));
  const archive = format === undefined ? packed : await format.unpack(packed, mostBytes);
  if (looksLikeTar(archive.subarray(0, TAR_BLOCK))) return archive;
  throw new BadArchive(
    format === undefined ? 'it is no tar archive' : `what is packed in it with ${format.name} is no tar archive`,
  );
}

function tooLarge(mostBytes: number): BadArchive {
  return new BadArchive(`it unpacks to more than ${Math.floor(mostBytes / 2 ** 20)} MiB`);
}

async function unpackGzip(packed: Buffer, mostBytes: number): Promise<Buffer> {
  return unpackInProcess(
    () => zlib.gunzipSync(packed, { maxOutputLength: mostBytes, chunkSize: gzipChunkBytes(packed) }),
    mostBytes,
  );
}

/** One piece for all of it, so that nothing is copied: a gzip file ends with its unpacked size (ISIZE, RFC 1952). */
function gzipChunkBytes(packed: Buffer): number {
  const unpackedBytes = packed.length < 4 ? 0 : packed.readUInt32LE(packed.length - 4);
  return Math.min(Math.max(unpackedBytes, CHUNK_BYTES), MOST_CHUNK_BYTES);
}

async function unpackZstd(packed: Buffer, mostBytes: number): Promise<Buffer> {
  return unpackInProcess(
    () => zlib.zstdDecompressSync(packed, { maxOutputLength: mostBytes, chunkSize: CHUNK_BYTES }),
    mostBytes,
  );
}

/** Nothing else is to be done meanwhile: threads would only have to be started. */
function unpackInProcess(unpacking: () => Buffer, mostBytes: number): Buffer {
  try {
    return unpacking();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(mostBytes);
    throw new BadArchive(`it is damaged (${error instanceof Error ? error.message : String(error)})`, { cause: error });
  }
}

/** Node reads neither bzip2 nor xz; every distribution has the programs. */
async function unpackBy(program: 'bzip2' | 'xz', packed: Buffer, mostBytes: number): Promise<Buffer> {
  const { execa } = await import('execa');
  const result = await execa(program, ['-dc'], {
    input: packed,
    encoding: 'buffer',
    maxBuffer: mostBytes,
    reject: false,
  });
  if (result.code === 'ENOENT') throw new BadArchive(`it needs ${program}, which is not installed here`);
  if (result.isMaxBuffer) throw tooLarge(mostBytes);
  if (result.failed) {
    const said = Buffer.from(result.stderr).toString('utf8').trim().split('\n').pop();
    throw new BadArchive(`it is damaged (${said || result.shortMessage})`);
  }
  const { buffer, byteOffset, byteLength } = result.stdout;
  return Buffer.from(buffer, byteOffset, byteLength);
}
