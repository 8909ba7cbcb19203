import { parseCpulist, parseCpumask, printCpulist, printCpumask } from '../topology/cpulist.ts';
import type { FileFormat } from './tunable.ts';

/** Thrown for text that a format cannot be; `text` is the whole of it. */
export class FormatError extends Error {
  readonly format: FileFormat;
  readonly text: string;

  constructor(format: FileFormat, text: string, expected: string) {
    super(`expected ${expected}, got ${JSON.stringify(text)}`);
    this.name = 'FormatError';
    this.format = format;
    this.text = text;
  }
}

/** What a kernel file says, in the canonical spelling that hft compares, shows and journals. */
export function parseFormat(format: FileFormat, text: string): string {
  const trimmed = text.trim();
  switch (format) {
    case 'word':
      return trimmed;
    case 'words':
      return trimmed.split(/\s+/).join(' ');
    case 'integer':
      if (!/^[+-]?\d+$/.test(trimmed)) throw new FormatError(format, text, 'an integer');
      return BigInt(trimmed).toString();
    case 'flag':
      return parseFlag(trimmed, text);
    case 'bracketed':
      return parseBracketed(trimmed, text);
    case 'cpulist':
      return printCpulist(parseCpulist(trimmed));
    case 'cpumask':
      return printCpulist(parseCpumask(trimmed));
  }
}

/** The text to write for a canonical value. */
export function printFormat(format: FileFormat, value: string): string {
  if (format === 'cpumask') return printCpumask(parseCpulist(value));
  return value;
}

/** A wanted value in the canonical spelling (`2,3` becomes `2-3`). Throws FormatError or CpuSetSyntaxError. */
export function canonicalFormat(format: FileFormat, value: string): string {
  if (format === 'bracketed') return value.trim();
  if (format === 'cpumask') return printCpulist(parseCpulist(value));
  return parseFormat(format, value);
}

function parseFlag(trimmed: string, text: string): string {
  if (trimmed === '1' || trimmed === 'Y' || trimmed === 'y') return '1';
  if (trimmed === '0' || trimmed === 'N' || trimmed === 'n') return '0';
  throw new FormatError('flag', text, '1, 0, Y or N');
}

/** `always [madvise] never` is madvise; a file with one bare word (some kernels) is that word. */
function parseBracketed(trimmed: string, text: string): string {
  const chosen = /\[([^\]]+)\]/.exec(trimmed);
  if (chosen) return chosen[1] as string;
  if (/^\S+$/.test(trimmed)) return trimmed;
  throw new FormatError('bracketed', text, 'a list with the chosen word in brackets');
}
