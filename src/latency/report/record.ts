import type { HostFacts } from '../../topology/host-facts.ts';
import type { LatencyPlots } from './plots.ts';
import type { LatencyResult } from './result.ts';

/** A measurement as it is kept: what was found, what plots are drawn from, and on what. */
export interface LatencyRecord {
  /** When it began; ISO 8601. */
  readonly time: string;
  /** Of the hft that measured. */
  readonly version: string;
  readonly result: LatencyResult;
  readonly plots: LatencyPlots;
  readonly facts: HostFacts;
}

/** The little of a record that `hft status` shows. */
export interface LatencyVerdict {
  readonly time: string;
  readonly profile: string | null;
  readonly cut: boolean;
  readonly summary: LatencyResult['summary'];
}

const FORMAT = 1;

/** Two lines of JSON: the verdict, which is read all day without the rest, and the record. */
export function printRecord(record: LatencyRecord): string {
  const { result, time } = record;
  const { profile, cut, summary } = result;
  const verdict = { time, profile: profile?.name ?? null, cut, summary };
  return `${JSON.stringify({ format: FORMAT, ...verdict })}\n${JSON.stringify(record)}\n`;
}

/** undefined for what another version of hft kept: measuring again is the way out. */
export function parseRecord(text: string): LatencyRecord | undefined {
  if (parseVerdict(text) === undefined) return undefined;
  return parseLine(text.slice(text.indexOf('\n') + 1)) as LatencyRecord | undefined;
}

export function parseVerdict(text: string): LatencyVerdict | undefined {
  const { format, ...verdict } = (parseLine(text.slice(0, text.indexOf('\n'))) ?? {}) as { format?: unknown };
  return format === FORMAT ? (verdict as LatencyVerdict) : undefined;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
