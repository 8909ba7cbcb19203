import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GapTicks, Piece } from '../../../../src/latency/attribution/cause.ts';
import { explain } from '../../../../src/latency/attribution/explain.ts';
import type { Recorded } from '../../../../src/latency/attribution/occupancy.ts';
import { parseTrace } from '../../../../src/latency/attribution/trace-text.ts';

export function readFixture(name: string): string {
  return readFileSync(join(import.meta.dirname, 'traces', `${name}.txt`), 'utf8');
}

/** From `[start, end]` pairs. */
export function gapsOf(pairs: readonly (readonly [number, number])[]): GapTicks {
  return { starts: Float64Array.from(pairs, ([start]) => start), ends: Float64Array.from(pairs, ([, end]) => end) };
}

interface Join {
  readonly text: string;
  readonly cpu: number;
  readonly epochTicks?: bigint;
  readonly hz?: number;
  readonly overrun?: boolean;
}

/** The causes as short lines: `timer tick 1x 800 max 800`; what a join leaves over beside it. */
export function joinText(
  by: (recorded: Recorded, gaps: GapTicks) => readonly Piece[],
  { text, cpu, epochTicks = 1_000_000_000n, hz = 1e9, overrun = false }: Join,
  gaps: GapTicks,
) {
  const trace = parseTrace(text, cpu, epochTicks);
  const { causes, ...rest } = explain({ cpu, gaps, pieces: by({ trace, hz, overrun }, gaps), hz }, []);
  const lines = causes.map(({ cause, count, totalNs, maxNs }) => `${cause} ${count}x ${totalNs} max ${maxNs}`);
  return { lines, rest, causes };
}
