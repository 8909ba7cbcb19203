import { createHash } from 'node:crypto';

/** What the first line of a chained log says came before it. */
const NOTHING_BEFORE = '0'.repeat(64);

/** The end of a log: what the next line has to carry on from. */
export interface ChainEnd {
  readonly seq: number;
  /** Of the last whole line, with its newline. SHA-256, hex. */
  readonly hash: string;
}

export const EMPTY_CHAIN: ChainEnd = { seq: 0, hash: NOTHING_BEFORE };

/** One line of a log. Which kinds there are is for whoever writes it to say. */
export interface ChainRecord {
  /** ISO 8601 */
  readonly time: string;
  readonly kind: string;
  readonly [fact: string]: unknown;
}

/** The line names the hash of the line before, so that none can be changed, left out or moved unseen. */
export function chainLine(
  before: ChainEnd,
  record: ChainRecord,
): { readonly line: string; readonly hash: string; readonly end: ChainEnd } {
  const seq = before.seq + 1;
  const line = `${JSON.stringify({ seq, previous: before.hash, ...record })}\n`;
  const hash = hashOf(line);
  return { line, hash, end: { seq, hash } };
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export interface ChainFile {
  readonly name: string;
  readonly text: string;
}

/** The first place where a log is not as it was written. */
export interface ChainBreak {
  readonly file: string;
  /** From 1, in this file. */
  readonly line: number;
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

/** What following a log shows, as far as it was followed. */
export interface ChainCheck {
  readonly files: number;
  readonly lines: number;
  readonly end: ChainEnd;
  /** Files with bytes after their last whole line: a write that a power cut or a kill tore. */
  readonly torn: readonly string[];
  /** undefined: it is whole. */
  readonly broken: ChainBreak | undefined;
}

/** Nothing was followed yet. */
export const START_OF_CHAIN: ChainCheck = { files: 0, lines: 0, end: EMPTY_CHAIN, torn: [], broken: undefined };

/** Sees each line that is as it was written, with its end of the log. May name a break of its own. */
export type SeeLine = (
  record: ChainRecord,
  at: { readonly end: ChainEnd; readonly file: string; readonly line: number },
) => ChainBreak | undefined;

/**
 * Follows the chain through one file more, in their order. It shows that nothing between the first and the last line was changed; that
 * nothing was cut off the end only a hash shows that was kept elsewhere.
 */
export function followChain(before: ChainCheck, { name, text }: ChainFile, see?: SeeLine): ChainCheck {
  if (before.broken !== undefined) return before;
  const lines = text.split('\n');
  const isTorn = lines.pop() !== '';
  let { end } = before;
  let broken: ChainBreak | undefined;
  for (const [index, body] of lines.entries()) {
    const place = { file: name, line: index + 1 };
    const read = readLine(body, end);
    if ('what' in read) {
      broken = { ...place, ...read };
      break;
    }
    end = { seq: end.seq + 1, hash: hashOf(`${body}\n`) };
    broken = see?.(read.record, { end, ...place });
    if (broken !== undefined) break;
  }
  const torn = isTorn ? [...before.torn, name] : before.torn;
  return { files: before.files + 1, lines: end.seq, end, torn, broken };
}

/** `file:line  what: expected …, got …` */
export function printBreak({ file, line, what, expected, got }: ChainBreak): string {
  return `${file}:${line}  ${what}: expected ${expected}, got ${got}`;
}

type Misread = Pick<ChainBreak, 'what' | 'expected' | 'got'>;

function readLine(body: string, { seq, hash }: ChainEnd): { readonly record: ChainRecord } | Misread {
  const record = parseRecord(body);
  if (record === undefined) return { what: 'is not a line of this log', expected: 'a record', got: quote(body) };
  if (record.seq !== seq + 1)
    return {
      what: 'lines are missing, doubled or moved',
      expected: `line ${seq + 1} of the log`,
      got: `line ${quote(JSON.stringify(record.seq) ?? 'nothing')}`,
    };
  if (record.previous !== hash)
    return {
      what: 'the line before it was changed, or is another one',
      expected: `after ${hash}`,
      got: `after ${quote(String(record.previous))}`,
    };
  return { record };
}

/** undefined: no line that anybody wrote here. */
export function parseRecord(body: string): ChainRecord | undefined {
  try {
    const record = JSON.parse(body) as Partial<ChainRecord> | null;
    return typeof record === 'object' && record !== null && typeof record.kind === 'string'
      ? (record as ChainRecord)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function quote(text: string): string {
  return text.length > LONGEST_QUOTED ? `${text.slice(0, LONGEST_QUOTED - 1)}…` : text;
}

/** A hash is not cut. */
const LONGEST_QUOTED = 64;
