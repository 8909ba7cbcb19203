import type { TarEntry } from './tar-entry.ts';
import { BadArchive, headerSums, sumHeader, TAR_BLOCK } from './tar-entry.ts';

/**
 * Reads a tar archive (v7, ustar, GNU, pax: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html and
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html) that is in memory. Nothing is copied and nothing is
 * written to disk. Throws BadArchive for a damaged archive and for what no snapshot has: device nodes, sockets,
 * paths that lead out, sparse files.
 */
export function* readTar(archive: Buffer): Generator<TarEntry> {
  const sumOf = headerSums(archive);
  let names: PendingNames = {};
  for (let offset = 0; offset + TAR_BLOCK <= archive.length; ) {
    // Two blocks of zeros end an archive; one is enough for us, as it is for GNU tar with a warning.
    if (archive[offset] === 0 && archive.subarray(offset, offset + TAR_BLOCK).every((byte) => byte === 0)) return;
    const at = offset;
    if (readChecksum(archive, at) !== sumOf(at)) throw new BadArchive(`it is damaged at byte ${at}`);
    const size = readSize(archive, at);
    const start = offset + TAR_BLOCK;
    if (start + size > archive.length)
      throw new BadArchive(`it ends in the middle of a file, at byte ${archive.length}`);
    const content = archive.subarray(start, start + size);
    offset = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
    const type = String.fromCharCode(archive[at + 156] as number);
    const more = readNames(type, content);
    if (more !== undefined) {
      names = { ...names, ...more };
      continue;
    }
    const entry = toEntry({ archive, at, type, content, names });
    names = {};
    if (entry !== undefined) yield entry;
  }
  throw new BadArchive('it is incomplete: it has no end mark');
}

/** Whether a file starts like a tar archive, told by the checksum of its first header. */
export function looksLikeTar(start: Buffer): boolean {
  return start.length >= TAR_BLOCK && readChecksum(start, 0) === sumHeader(start, 0);
}

interface PendingNames {
  readonly path?: string;
  readonly target?: string;
}

function readChecksum(archive: Buffer, at: number): number {
  return readOctal(archive, at + 148, 8);
}

/** An octal number with spaces or zeros before it and a space or NUL after it; NaN for anything else. Nothing is 0. */
function readOctal(archive: Buffer, start: number, length: number): number {
  let value = 0;
  let index = start;
  while (index < start + length && archive[index] === 0x20) index++;
  for (; index < start + length; index++) {
    const digit = (archive[index] as number) - 0x30;
    if (digit >= 0 && digit < 8) value = value * 8 + digit;
    else return archive[index] === 0 || archive[index] === 0x20 ? value : Number.NaN;
  }
  return value;
}

/** A text field ends at its first NUL. */
function readField(archive: Buffer, start: number, length: number): string {
  let end = start;
  while (end < start + length && archive[end] !== 0) end++;
  return archive.toString('utf8', start, end);
}

function readSize(archive: Buffer, at: number): number {
  // GNU writes a size of 8 GiB and more in binary, marked by the highest bit, which is no octal digit.
  const size = readOctal(archive, at + 124, 12);
  if (Number.isNaN(size)) throw new BadArchive(`the entry at byte ${at} has an impossible size`);
  return size;
}

/** What a header without a file of its own says about the file after it; undefined for every other header. */
function readNames(type: string, content: Buffer): PendingNames | undefined {
  if (type === 'L') return { path: readField(content, 0, content.length) };
  if (type === 'K') return { target: readField(content, 0, content.length) };
  if (type === 'x') return readPaxNames(content);
  // g: defaults for the whole archive, such as git's commit id; V: the name of the archive.
  return type === 'g' || type === 'V' ? {} : undefined;
}

/** Pax records are `LENGTH KEY=VALUE\n`, LENGTH in bytes and counting itself. */
function readPaxNames(content: Buffer): PendingNames {
  const found: { path?: string; target?: string } = {};
  for (let offset = 0; offset < content.length; ) {
    const space = content.indexOf(0x20, offset);
    const length = space === -1 ? Number.NaN : Number(content.toString('latin1', offset, space));
    const end = offset + length;
    if (!(length > space - offset + 1) || end > content.length) throw new BadArchive('it has a damaged pax header');
    const record = content.toString('utf8', space + 1, end - 1);
    const [key, value] = [record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)];
    if (key === 'path') found.path = value;
    if (key === 'linkpath') found.target = value;
    if (key === 'size' || key.startsWith('GNU.sparse'))
      throw new BadArchive(`it has a sparse or enormous file (${key})`);
    offset = end;
  }
  return found;
}

interface EntryParts {
  readonly archive: Buffer;
  /** Where its header starts. */
  readonly at: number;
  readonly type: string;
  readonly content: Buffer;
  readonly names: PendingNames;
}

/** undefined for the top of the archive itself, `./`. */
function toEntry({ archive, at, type, content, names }: EntryParts): TarEntry | undefined {
  const stored = names.path ?? joinPrefix(archive, at);
  const path = cleanPath(stored);
  const readTarget = () => names.target ?? readField(archive, at + 157, 100);
  if (path === '') return undefined;
  switch (type) {
    case '0':
    case '\0':
    case '7':
      // Before ustar a folder was a file whose name ends with a slash.
      return stored.endsWith('/') ? { kind: 'folder', path } : { kind: 'file', path, content };
    case '1':
      return { kind: 'same-file', path, target: cleanPath(readTarget()) };
    case '2':
      return { kind: 'link', path, target: readTarget() };
    case '5':
      return { kind: 'folder', path };
    default:
      throw new BadArchive(
        `${JSON.stringify(stored)} in it is ${WHAT[type] ?? `of the unknown type ${JSON.stringify(type)}`}`,
      );
  }
}

const WHAT: Readonly<Record<string, string>> = {
  3: 'a device node',
  4: 'a device node',
  6: 'a named pipe',
  S: 'a sparse file',
};

function joinPrefix(archive: Buffer, at: number): string {
  const name = readField(archive, at, 100);
  if (archive[at + 345] === 0) return name;
  // The field is a prefix in POSIX archives only; GNU's `ustar  ` keeps times there.
  const isPosix = archive.toString('latin1', at + 257, at + 263) === 'ustar\0';
  return isPosix ? `${readField(archive, at + 345, 155)}/${name}` : name;
}

/** As long as the kernel allows, PATH_MAX in limits.h(0p). */
const LONGEST_PATH = 4096;

function cleanPath(path: string): string {
  if (path.length > LONGEST_PATH) throw new BadArchive(`it has a path of ${path.length} characters`);
  const start = path.startsWith('./') ? 2 : 0;
  const plain = path.slice(start, path.endsWith('/') && path.length > start ? -1 : undefined);
  // Most paths are clean, and this tells at a glance; a name that begins with a dot is looked at more closely.
  if (plain !== '' && !/^[./]/.test(plain) && !plain.includes('//') && !plain.includes('/.')) return plain;
  if (path.startsWith('/')) throw new BadArchive(`${JSON.stringify(path)} in it is an absolute path`);
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw new BadArchive(`${JSON.stringify(path)} in it leads out of the archive`);
  return names.join('/');
}
