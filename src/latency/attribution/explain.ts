import { nameTarget } from '../../topology/irq-names.ts';
import type { Irq } from '../../topology/machine.ts';
import type { Cause, CauseKind, GapTicks, Occurrence, Piece } from './cause.ts';
import { THROTTLED } from './kernel-events.ts';
import { addTicks } from './occupancy.ts';
import { remedyFor, remedyForIrq } from './remedy.ts';

/** Gaps of one CPU and who had it in them. */
export interface OccupiedGaps {
  readonly cpu: number;
  readonly gaps: GapTicks;
  readonly pieces: readonly Piece[];
  /** Ticks per second. */
  readonly hz: number;
}

/** Net times of one CPU's gaps; they add up to the whole of them. */
export interface Explanation {
  readonly causes: readonly Cause[];
  /** In the gaps that are listed. */
  readonly gapsNs: number;
  readonly explainedNs: number;
  /** Gaps in which the kernel recorded nothing although it could. */
  readonly outsideKernelNs: number;
  /** In gaps with a cause: entering and leaving the kernel, and what its events do not cover. */
  readonly besideCausesNs: number;
  /** The kernel had no room for its events. */
  readonly notRecordedNs: number;
}

interface Sum {
  readonly kind: CauseKind;
  readonly name: string;
  readonly irq: number | undefined;
  count: number;
  ticks: number;
  maxTicks: number;
  pageFaults: number;
  readonly letRun: Map<string, number>;
}

/** Of a gap in which the kernel recorded nothing although it could. */
export const UNSEEN: Occurrence = { kind: 'outside-kernel', name: 'outside the kernel, unproven' };

/** Adds up what each cause took. A thread that was preempted and went on counts once. `irqs` name devices and queues. */
export function explain({ cpu, gaps, pieces, hz }: OccupiedGaps, irqs: readonly Irq[]): Explanation {
  const sums = new Map<string, Sum>();
  let [gapTicks, named, outside, unrecorded, at] = [0, 0, 0, 0, 0];
  for (let gap = 0; gap < gaps.starts.length; gap++) {
    const length = (gaps.ends[gap] as number) - (gaps.starts[gap] as number);
    const first = at;
    while (pieces[at]?.gap === gap) at++;
    const own = pieces.slice(first, at);
    gapTicks += length;
    if (own.length === 0) {
      outside += length;
      addSum(sums, UNSEEN, length);
      continue;
    }
    for (const { occurrence, ticks } of sumOccurrences(own)) {
      if (occurrence.kind === 'not-recorded') unrecorded += ticks;
      else named += ticks;
      addSum(sums, occurrence, ticks);
    }
  }
  const nsOf = (ticks: number) => (ticks * 1e9) / hz;
  return {
    causes: [...sums.values()].map((sum) => asCause(sum, { cpu, nsOf, irqs })).sort((a, b) => b.totalNs - a.totalNs),
    gapsNs: nsOf(gapTicks),
    explainedNs: nsOf(named),
    outsideKernelNs: nsOf(outside),
    besideCausesNs: nsOf(Math.max(0, gapTicks - named - outside - unrecorded)),
    notRecordedNs: nsOf(unrecorded),
  };
}

/** The net ticks of each thing that happened in one gap. */
function sumOccurrences(pieces: readonly Piece[]): { occurrence: Occurrence; ticks: number }[] {
  const found = new Map<Occurrence, number>();
  for (const { occurrence, start, end } of pieces) found.set(occurrence, (found.get(occurrence) ?? 0) + end - start);
  return [...found].map(([occurrence, ticks]) => ({ occurrence, ticks }));
}

function addSum(
  sums: Map<string, Sum>,
  { kind, name, irq, pageFaults = 0, letRun = new Map() }: Occurrence,
  ticks: number,
): void {
  const key = `${kind} ${irq ?? ''} ${name}`;
  const none = { count: 0, ticks: 0, maxTicks: 0, pageFaults: 0, letRun: new Map<string, number>() };
  const sum = sums.get(key) ?? { kind, name, irq, ...none };
  sum.count++;
  sum.pageFaults += pageFaults;
  for (const [thread, ran] of letRun) addTicks(sum.letRun, thread, ran);
  sum.ticks += ticks;
  sum.maxTicks = Math.max(sum.maxTicks, ticks);
  sums.set(key, sum);
}

interface Naming {
  readonly cpu: number;
  readonly nsOf: (ticks: number) => number;
  readonly irqs: readonly Irq[];
}

function asCause(sum: Sum, { cpu, nsOf, irqs }: Naming): Cause {
  const { kind, name, irq, count, ticks, maxTicks, pageFaults, letRun } = sum;
  const known = irqs.find((each) => each.irq === irq);
  const explained = kind !== 'outside-kernel' && kind !== 'not-recorded';
  const remedy = irq === undefined ? remedyFor(kind, name) : remedyForIrq(known);
  const cause = nameOccurrence({ kind, name, ...(irq !== undefined && { irq }) }, irqs);
  const details = { ...(pageFaults > 0 && { pageFaults }), ...(letRun.size > 0 && { letRun: longestFirst(letRun) }) };
  return { cause, kind, cpu, count, totalNs: nsOf(ticks), maxNs: nsOf(maxTicks), explained, ...remedy, ...details };
}

function longestFirst(ticks: ReadonlyMap<string, number>): string[] {
  return [...ticks].sort(([, left], [, right]) => right - left).map(([name]) => name);
}

/** As people read it, a device's interrupt by device and queue. */
export function nameOccurrence({ kind, name, irq }: Occurrence, irqs: readonly Irq[]): string {
  const known = irqs.find((each) => each.irq === irq);
  return describeCause(kind, known === undefined ? name : nameTarget(known));
}

/** As people read it. */
export function describeCause(kind: CauseKind, name: string): string {
  if (kind === 'irq') return `interrupt ${name}`;
  if (kind === 'softirq') return `softirq ${name}`;
  if (kind === 'timer') return 'timer tick';
  if (kind === 'ipi') return `IPI ${name}`;
  if (kind === 'nmi') return name === 'NMI' ? 'NMI' : `NMI ${name}`;
  if (kind === 'throttling') return name === THROTTLED ? name : 'idle: the thread was not let run';
  return name;
}
