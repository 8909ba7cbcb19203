import { HostError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';

/** What of a file decides whether the dynamic linker can load a library before it: elf(5), ld.so(8). */
export type ProgramFile =
  | {
      readonly kind: 'elf';
      /** 64 or 32: a library of the other one is ignored. */
      readonly bits: 32 | 64;
      /** e_machine: 62 is x86-64, 183 is AArch64. */
      readonly machine: number;
      /** It names a dynamic linker. Without one (statically linked, Go) nothing reads LD_PRELOAD. */
      readonly isDynamic: boolean;
    }
  /** `#!`: this program runs it, and is what a library is loaded into first. */
  | { readonly kind: 'script'; readonly interpreter: string }
  | { readonly kind: 'other' };

/** Enough for the headers that linkers put at the start of a program. */
const HEAD_BYTES = 4096;

/** The head of a file; undefined: it cannot be read, or what it says is beyond its head. */
export async function readProgramFile(reader: HostReader, path: string): Promise<ProgramFile | undefined> {
  try {
    const dump = await reader.query(['od', '-An', '-v', '-tx1', '-N', String(HEAD_BYTES), path]);
    return dump.found && dump.exitCode === 0 ? parseProgramFile(dump.stdout) : undefined;
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** Parses bytes as od(1) prints them (`7f 45 4c 46`); undefined for other text, an empty file, and headers that are cut off. */
export function parseProgramFile(dump: string): ProgramFile | undefined {
  const words = dump.trim() === '' ? [] : dump.trim().split(/\s+/);
  if (words.length === 0 || words.some((word) => !/^[0-9a-f]{2}$/.test(word))) return undefined;
  const bytes = Buffer.from(words.join(''), 'hex');
  if (bytes.subarray(0, 2).toString('latin1') === '#!') return parseScript(bytes);
  if (bytes.subarray(0, 4).toString('latin1') !== '\x7fELF') return { kind: 'other' };
  return parseElf(bytes);
}

function parseScript(bytes: Buffer): ProgramFile | undefined {
  const end = bytes.indexOf('\n');
  if (end < 0) return undefined;
  const interpreter = bytes.subarray(2, end).toString('utf8').trim().split(/[ \t]/)[0];
  return interpreter?.startsWith('/') === true ? { kind: 'script', interpreter } : { kind: 'other' };
}

const PT_INTERP = 3;
/** Where the program headers are told of, by the class of the file. */
const FIELDS = { 64: { offset: 32, size: 54, count: 56, end: 64 }, 32: { offset: 28, size: 42, count: 44, end: 52 } };

function parseElf(bytes: Buffer): ProgramFile | undefined {
  const bits = ({ 1: 32, 2: 64 } as const)[bytes[4] ?? 0];
  const isLittle = bytes[5] === 1;
  if (bits === undefined || (!isLittle && bytes[5] !== 2) || bytes.length < FIELDS[bits].end) return undefined;
  const half = (at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const word = (at: number) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const at = FIELDS[bits];
  // Headers are at the start of a file: of a 64-bit offset the low half says it, and the high one is none.
  const high = bits === 64 ? word(isLittle ? at.offset + 4 : at.offset) : 0;
  const offset = bits === 64 && !isLittle ? word(at.offset + 4) : word(at.offset);
  const [size, count] = [half(at.size), half(at.count)];
  if (high !== 0 || (count > 0 && size < 4) || offset + size * count > bytes.length) return undefined;
  const types = Array.from({ length: count }, (_, index) => word(offset + size * index));
  return { kind: 'elf', bits, machine: half(18), isDynamic: types.includes(PT_INTERP) };
}
