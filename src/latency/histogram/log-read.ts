import { HftError } from '../../errors.ts';
import type { Histogram } from './histogram.ts';
import { type BucketLayout, sameBuckets } from './layout.ts';
import type { LoggedInterval } from './log-write.ts';
import { decodePayload } from './payload-read.ts';

/** A mistake in an HDR log, with its place. Exit 2. `where` is `file:line`. */
export class HdrLogError extends HftError {
  readonly where: string;

  constructor(where: string, message: string, options: { next?: readonly string[]; cause?: unknown } = {}) {
    super(`${where}  ${message}`, { exitCode: 2, ...options });
    this.where = where;
  }
}

export interface ReadInterval extends LoggedInterval {
  /** From 1. */
  readonly line: number;
}

const YEAR_S = 365 * 24 * 3600;
const LINE_SHAPE = 'start, length, maximum and payload, separated by commas';

/**
 * The intervals of an HDR log in the order of the file. A start is relative to BaseTime, or, as HdrHistogram's own reader has it,
 * to StartTime when it lies more than a year before that, or absolute. `unitNs` says what the log's values are (1000 for
 * microseconds): the format does not. Throws HdrLogError, with file and line, for everything that is not such a log.
 */
export function readHdrLog(
  text: string,
  { file, unitNs = 1 }: { readonly file: string; readonly unitNs?: number },
): ReadInterval[] {
  const intervals: ReadInterval[] = [];
  const times: LogTimes = {};
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const where = `${file}:${i + 1}`;
    if (line.startsWith('#')) noteTimes(times, line, where);
    else if (line.trim() !== '' && !line.startsWith('"')) {
      intervals.push({ line: i + 1, ...readInterval(line, { where, unitNs, times }) });
    }
  }
  if (intervals.length === 0) {
    throw new HdrLogError(`${file}:1`, `expected lines of ${LINE_SHAPE}, got none`, {
      next: ['An HDR log is what HistogramLogWriter of HdrHistogram writes.'],
    });
  }
  return intervals;
}

interface LogTimes {
  baseEpochS?: number;
  startEpochS?: number;
}

function noteTimes(times: LogTimes, line: string, where: string): void {
  const named = /^#\[(?<name>StartTime|BaseTime):\s*(?<seconds>[^\s\]]*)/.exec(line)?.groups;
  if (named === undefined) return;
  const seconds = readNumber(named.seconds ?? '', `${named.name} in seconds since 1970`, where);
  if (named.name === 'StartTime') times.startEpochS ??= seconds;
  else times.baseEpochS = seconds;
}

function readInterval(line: string, context: { where: string; unitNs: number; times: LogTimes }): LoggedInterval {
  const { where, unitNs, times } = context;
  const fields = line.split(',').map((field) => field.trim());
  const tag = /^Tag=(?<tag>.*)$/.exec(fields[0] ?? '')?.groups?.tag;
  const [start, length, max, payload, ...more] = tag === undefined ? fields : fields.slice(1);
  if (payload === undefined || more.length > 0) {
    throw new HdrLogError(where, `expected ${LINE_SHAPE}, got ${fields.length - (tag === undefined ? 0 : 1)} fields`);
  }
  const startS = readNumber(start ?? '', 'the start of the interval in seconds', where);
  const durationNs = readNumber(length ?? '', 'the length of the interval in seconds', where) * 1e9;
  if (durationNs < 0) throw new HdrLogError(where, `expected a length of at least 0 seconds, got ${length}`);
  readNumber(max ?? '', 'the maximum of the interval', where);
  times.baseEpochS ??= times.startEpochS !== undefined && startS < times.startEpochS - YEAR_S ? times.startEpochS : 0;
  const histogram = readPayload(payload, unitNs, where);
  return { ...(tag === undefined ? {} : { tag }), startEpochS: times.baseEpochS + startS, durationNs, histogram };
}

function readNumber(text: string, what: string, where: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    throw new HdrLogError(where, `expected ${what}, got ${JSON.stringify(text)}`);
  }
  return Number(text);
}

function readPayload(payload: string, unitNs: number, where: string): Histogram {
  try {
    return decodePayload(payload, unitNs);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new HdrLogError(where, cause.message, {
      cause,
      next: ['Write the log with HistogramLogWriter of HdrHistogram (whole numbers, not DoubleHistogram).'],
    });
  }
}

/**
 * The intervals of one tag (undefined: those without), in the order of time and of one resolution, which their quantiles
 * then have. Throws HdrLogError when the tag does not occur or the intervals differ in resolution.
 */
export function intervalsOfTag(
  intervals: readonly ReadInterval[],
  { file, tag }: { readonly file: string; readonly tag: string | undefined },
): { layout: BucketLayout; intervals: ReadInterval[] } {
  const found = intervals.filter((interval) => interval.tag === tag);
  const [first] = found;
  if (first === undefined) {
    const tags = [...new Set(intervals.map((interval) => interval.tag ?? '(no tag)'))];
    throw new HdrLogError(`${file}:1`, `expected intervals of ${tag ?? '(no tag)'}, got only ${tags.join(', ')}`);
  }
  for (const { histogram, line } of found) {
    if (sameBuckets(histogram.layout, first.histogram.layout)) continue;
    const of = ({ significantDigits, lowestDiscernible }: BucketLayout) =>
      `${significantDigits} digits from ${lowestDiscernible}`;
    const [expected, got] = [of(first.histogram.layout), of(histogram.layout)];
    throw new HdrLogError(`${file}:${line}`, `expected ${expected} as in line ${first.line}, got ${got}`, {
      next: ['Judge the parts of the log that have one resolution each on their own.'],
    });
  }
  return { layout: first.histogram.layout, intervals: found.toSorted((a, b) => a.startEpochS - b.startEpochS) };
}
