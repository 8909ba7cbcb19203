import type { Histogram } from './histogram.ts';
import { encodePayload } from './payload.ts';

/** One line of an HDR log. */
export interface LoggedInterval {
  /** Which of several streams; no comma, space or line end in it. */
  readonly tag?: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly startEpochS: number;
  readonly durationNs: number;
  readonly histogram: Histogram;
}

/** What HDR tools divide the maximum by: Interval_Max is in ms when the values are ns. */
export const MAX_UNIT_RATIO = 1_000_000;

/**
 * An HDR log, format 1.3, that HdrHistogram's tools of every language read: times with three decimals, relative to the base time
 * in the header. https://github.com/HdrHistogram/HdrHistogram (HistogramLogWriter). Throws RangeError for a tag that would
 * break the line.
 */
export function writeHdrLog(intervals: Iterable<LoggedInterval>, startEpochS: number): string {
  const startText = startEpochS.toFixed(3);
  const date = new Date(startEpochS * 1000).toISOString();
  const lines = [
    '#[Logged with hft; values in ns]',
    '#[Histogram log format version 1.3]',
    `#[BaseTime: ${startText} (seconds since epoch)]`,
    `#[StartTime: ${startText} (seconds since epoch), ${date}]`,
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
  ];
  for (const interval of intervals) lines.push(intervalLine(interval, Number(startText)));
  return `${lines.join('\n')}\n`;
}

function intervalLine({ tag, startEpochS, durationNs, histogram }: LoggedInterval, baseEpochS: number): string {
  if (tag !== undefined && !/^[^\s,]+$/.test(tag)) {
    throw new RangeError(`a tag of an HDR log has no space and no comma, got ${JSON.stringify(tag)}`);
  }
  const fields = [
    (startEpochS - baseEpochS).toFixed(3),
    (durationNs / 1e9).toFixed(3),
    (histogram.maxNs / histogram.layout.unitNs / MAX_UNIT_RATIO).toFixed(3),
    encodePayload(histogram),
  ];
  if (tag !== undefined) fields.unshift(`Tag=${tag}`);
  return fields.join(',');
}
