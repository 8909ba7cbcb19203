import { parseCounterTable } from '../../../src/latency/attribution/counters.ts';

/** What a planter (programs/plant.c, programs/interrupt-rows.c) did, by its own count. Times in ns of CLOCK_MONOTONIC_RAW. */
export interface PlantedEvent {
  readonly what: string;
  readonly fromNs: number;
  readonly toNs: number;
  readonly count: number;
}

/** When a measurement began and how long it took, in ns of CLOCK_MONOTONIC_RAW. */
export interface MeasuredWindow {
  readonly startNs: number;
  readonly endNs: number;
}

/** The part of `hft verify latency --json` that says what was found. */
export interface FoundCauses {
  readonly attribution: {
    readonly tier: string;
    readonly why: string;
    /** Better tiers, and why not. */
    readonly missed: readonly { readonly tier: string; readonly reason: string }[];
    readonly clock: string | null;
    readonly startRawNs: number;
    readonly stolenNs: number;
    readonly unexplained: { readonly notRecordedNs: number };
  } | null;
  readonly disturbances: readonly {
    readonly cause: string;
    readonly kind: string;
    readonly count: number;
    readonly totalNs: number;
    readonly explained: boolean;
    readonly fix: string | null;
    readonly advice: string | null;
    readonly pageFaults: number | null;
    readonly letRun: readonly string[];
  }[];
  readonly artefacts: readonly { readonly kind: string; readonly text: string }[];
  readonly findings: readonly { readonly kind: string; readonly text: string }[];
  readonly probes: readonly { readonly durationS: number }[];
}

/** Lines `WHAT FROM TO COUNT`. */
export function parsePlanted(text: string): readonly PlantedEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [what = '', ...numbers] = line.split(' ');
      const [fromNs = Number.NaN, toNs = Number.NaN, count = Number.NaN] = numbers.map(Number);
      return { what, fromNs, toNs, count };
    });
}

export function windowOf({ attribution, probes }: FoundCauses): MeasuredWindow {
  const [row] = probes;
  if (attribution === null || row === undefined) throw new Error('Nothing was measured, or no causes were sought.');
  return { startNs: attribution.startRawNs, endNs: attribution.startRawNs + row.durationS * 1e9 };
}

export interface Planted {
  readonly count: number;
  readonly totalNs: number;
}

/** What of it lies in the window: of an event at its edge the part that does. Throws when the planter did not cover the window. */
export function plantedWithin(events: readonly PlantedEvent[], what: string, window: MeasuredWindow): Planted {
  const own = events.filter((event) => event.what === what);
  const marginNs = (window.endNs - window.startNs) / 20;
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined) throw new Error(`Nothing was planted as ${what}.`);
  if (first.fromNs > window.startNs + marginNs || last.toNs < window.endNs - marginNs)
    throw new Error(
      `${what} was planted from ${first.fromNs} to ${last.toNs}, measured from ${window.startNs} to ${window.endNs}.`,
    );
  let [count, totalNs] = [0, 0];
  for (const event of own) {
    const insideNs = Math.min(event.toNs, window.endNs) - Math.max(event.fromNs, window.startNs);
    if (insideNs <= 0) continue;
    const lengthNs = event.toNs - event.fromNs;
    count += event.count * (insideNs / lengthNs);
    totalNs += insideNs;
  }
  return { count, totalNs };
}

/** Turns that are closer together than `pauseNs` are one: whoever had the CPU in between did not give it back for so long. */
export function joinTurns(events: readonly PlantedEvent[], what: string, pauseNs: number): readonly PlantedEvent[] {
  const joined: PlantedEvent[] = [];
  for (const event of events.filter((each) => each.what === what)) {
    const last = joined.at(-1);
    if (last !== undefined && event.fromNs - last.toNs < pauseNs)
      joined[joined.length - 1] = { ...last, toNs: event.toNs };
    else joined.push(event);
  }
  return joined;
}

/** What hft reports of one kind and name, over all its lines. */
export function foundOf({ disturbances }: FoundCauses, kind: string, cause: string) {
  const own = disturbances.filter((each) => each.kind === kind && each.cause === cause && each.explained);
  const sum = (of: (each: (typeof own)[number]) => number) => own.reduce((total, each) => total + of(each), 0);
  return {
    count: sum(({ count }) => count),
    totalNs: sum(({ totalNs }) => totalNs),
    pageFaults: sum(({ pageFaults }) => pageFaults ?? 0),
    letRun: own.flatMap(({ letRun }) => letRun),
    fixes: own.flatMap(({ fix }) => fix ?? []),
  };
}

/** Counted within 5 %. */
export function agree(found: number, planted: number): boolean {
  return Math.abs(found - planted) <= planted * 0.05;
}

/**
 * Turns within 5 %, and how often a planter was seen that the kernel preempted in some of them, which it counts itself: each such turn
 * may be seen once or twice, by whether the measurement ran in between.
 */
export function agreeTurns(found: number, turns: number, preempted: number): boolean {
  return found >= turns * 0.95 && found <= (turns + preempted) * 1.05;
}

/** The numbered row of /proc/interrupts and the CPU, one or any, that counted most between two readings; undefined: less than 100. */
export function busiestRow(
  before: string,
  after: string,
  onCpu?: number,
): { readonly row: string; readonly cpu: number } | undefined {
  const known = parseCounterTable(before);
  const [busiest] = [...parseCounterTable(after)]
    .filter(([row]) => /^\d+$/.test(row))
    .flatMap(([row, perCpu]) =>
      [...perCpu].map(([cpu, count]) => ({ row, cpu, more: count - (known.get(row)?.get(cpu) ?? 0) })),
    )
    .filter(({ cpu }) => onCpu === undefined || cpu === onCpu)
    .sort((left, right) => right.more - left.more);
  return busiest === undefined || busiest.more < 100 ? undefined : busiest;
}
