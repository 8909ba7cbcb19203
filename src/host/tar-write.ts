import type { TarEntry } from './tar-entry.ts';
import { sumHeader, TAR_BLOCK } from './tar-entry.ts';

/**
 * Writes a pax archive that depends on nothing but its entries: no times, no owners, in the order given. A name that a
 * ustar header cannot hold (over 100 bytes, or not ASCII) goes into a pax header before it.
 */
export function writeTar(entries: Iterable<TarEntry>): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const content = entry.kind === 'file' ? entry.content : Buffer.alloc(0);
    const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path;
    const target = entry.kind === 'link' || entry.kind === 'same-file' ? entry.target : '';
    const records = [
      needsPax(path) ? paxRecord('path', path) : '',
      needsPax(target) ? paxRecord('linkpath', target) : '',
    ];
    const pax = Buffer.from(records.join(''));
    if (pax.length > 0) blocks.push(makeHeader({ path: 'pax', target: '', type: 'x', size: pax.length }), ...pad(pax));
    blocks.push(makeHeader({ path, target, type: TYPES[entry.kind], size: content.length }), ...pad(content));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * TAR_BLOCK)]);
}

const TYPES = { file: '0', 'same-file': '1', link: '2', folder: '5' } as const;
const MODES: Readonly<Record<string, number>> = { 2: 0o777, 5: 0o755 };
const ORDINARY_MODE = 0o644;
const LONGEST_NAME = 100;

function needsPax(name: string): boolean {
  return Buffer.byteLength(name) > LONGEST_NAME || !/^[\x20-\x7e]*$/.test(name);
}

/** The length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length !== length) length = bytes + String(length).length;
  return `${length}${rest}`;
}

function pad(content: Buffer): Buffer[] {
  return [content, Buffer.alloc((TAR_BLOCK - (content.length % TAR_BLOCK)) % TAR_BLOCK)];
}

function makeHeader({
  path,
  target,
  type,
  size,
}: {
  path: string;
  target: string;
  type: string;
  size: number;
}): Buffer {
  const header = Buffer.alloc(TAR_BLOCK);
  // What does not fit is in the pax header; old readers get the beginning of it.
  header.write(path.slice(0, LONGEST_NAME), 0, LONGEST_NAME, 'latin1');
  writeOctal(header, { at: 100, length: 8, value: MODES[type] ?? ORDINARY_MODE });
  for (const at of [108, 116]) writeOctal(header, { at, length: 8, value: 0 });
  writeOctal(header, { at: 124, length: 12, value: size });
  writeOctal(header, { at: 136, length: 12, value: 0 });
  header.write(type, 156, 'latin1');
  header.write(target.slice(0, LONGEST_NAME), 157, LONGEST_NAME, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  writeOctal(header, { at: 148, length: 8, value: sumHeader(header, 0) });
  return header;
}

function writeOctal(header: Buffer, { at, length, value }: { at: number; length: number; value: number }): void {
  header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}
