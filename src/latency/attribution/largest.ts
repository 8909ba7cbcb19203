import type { Irq } from '../../topology/machine.ts';
import type { GapTicks, Occurrence, Piece } from './cause.ts';
import { nameOccurrence, UNSEEN } from './explain.ts';

/** One gap and what took most of it. */
export interface AttributedGap {
  readonly cpu: number;
  /** Since the epoch of the run's clock. */
  readonly startNs: number;
  readonly durationNs: number;
  /** What had the CPU longest in it, as in Cause; null: no events were recorded. */
  readonly cause: string | null;
}

export interface GapsOfCpu {
  readonly cpu: number;
  readonly gaps: GapTicks;
  /** undefined: no events were recorded. */
  readonly pieces: readonly Piece[] | undefined;
  /** Ticks per second. */
  readonly hz: number;
}

/** Those that took longest, `most` of them, in the order of time. `irqs` name devices and queues. */
export function listLargest({ cpu, gaps, pieces, hz }: GapsOfCpu, irqs: readonly Irq[], most: number): AttributedGap[] {
  const { starts, ends } = gaps;
  const length = (gap: number) => (ends[gap] as number) - (starts[gap] as number);
  const nsOf = (ticks: number) => (ticks * 1e9) / hz;
  const largest = Array.from(starts.keys())
    .sort((left, right) => length(right) - length(left))
    .slice(0, most)
    .sort((left, right) => (starts[left] as number) - (starts[right] as number));
  const longest = pieces && longestOf(pieces);
  return largest.map((gap) => ({
    cpu,
    startNs: nsOf(starts[gap] as number),
    durationNs: nsOf(length(gap)),
    cause: longest === undefined ? null : nameOccurrence(longest.get(gap) ?? UNSEEN, irqs),
  }));
}

/** By gap what had the CPU longest. A cause that came several times counts as one. */
function longestOf(pieces: readonly Piece[]): ReadonlyMap<number, Occurrence> {
  const longest = new Map<number, Occurrence>();
  let [first, at] = [0, 0];
  while (at < pieces.length) {
    const { gap } = pieces[at] as Piece;
    for (first = at; pieces[at]?.gap === gap; ) at++;
    longest.set(gap, longestIn(pieces.slice(first, at)));
  }
  return longest;
}

function longestIn(pieces: readonly Piece[]): Occurrence {
  const ticks = new Map<string, { occurrence: Occurrence; sum: number }>();
  for (const { occurrence, start, end } of pieces) {
    const key = `${occurrence.kind} ${occurrence.irq ?? ''} ${occurrence.name}`;
    const sum = (ticks.get(key)?.sum ?? 0) + end - start;
    ticks.set(key, { occurrence, sum });
  }
  const [found] = [...ticks.values()].sort((left, right) => right.sum - left.sum);
  return found?.occurrence ?? UNSEEN;
}
