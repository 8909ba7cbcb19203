import { accuracyNs } from './accuracy.ts';
import type { PtpExpectation } from './expectation.ts';
import { isLive, type Seen } from './track.ts';

/** One thing by which the system clock can be wrong. */
export interface BudgetPart {
  readonly name: 'offset' | 'system' | 'reading' | 'grandmaster';
  readonly what: string;
  /** undefined: not known. */
  readonly ns: number | undefined;
}

/** How far the system clock can be from UTC, as the sum of what was seen and what the grandmaster promises. */
export interface Budget {
  readonly parts: readonly BudgetPart[];
  /** Of this host alone: from the grandmaster to the system clock. undefined: a part of it is not known. */
  readonly hostNs: number | undefined;
  /** With the grandmaster's accuracy. undefined: a part is not known, or its time is not UTC's. */
  readonly utcNs: number | undefined;
  /** In no part: a path that is longer one way than the other shifts the clock by half the difference, and PTP cannot see it. At most
   *  this. */
  readonly asymmetryNs: number;
}

const NS_PER_S = 1_000_000_000;

/** What the system clock should be from the PTP clock: UTC is TAI less the offset that the grandmaster announces. */
export function systemErrorNs({ clock, reading }: Seen): number | undefined {
  if (reading === undefined) return 0;
  if ('error' in reading) return undefined;
  const shift = clock.time.isPtpTimescale ? clock.time.utcOffsetS * NS_PER_S : 0;
  return reading.offsetNs + shift;
}

/** Worst of all looks for each part. */
export function budgetOf(seen: readonly Seen[], { timescale }: PtpExpectation): Budget {
  // An offset that no Sync has measured is none.
  const offset = isLive(seen) ? largest(seen.map(({ clock }) => Math.abs(clock.offsetNs))) : undefined;
  const system = largest(seen.map((look) => mapKnown(systemErrorNs(look), Math.abs)));
  const reading = largest(seen.map((look) => readingErrorNs(look)));
  const grandmaster = largest(seen.map(({ clock }) => accuracyNs(clock.grandmaster.accuracy)));
  const isSoftware = seen.at(-1)?.reading === undefined;
  const parts: readonly BudgetPart[] = [
    { name: 'offset', what: `${isSoftware ? 'system clock' : 'PTP clock'} to grandmaster`, ns: offset },
    {
      name: 'system',
      what: isSoftware ? 'none: ptp4l steers the system clock itself' : 'system clock to PTP clock',
      ns: system,
    },
    { name: 'reading', what: 'error of reading the PTP clock', ns: reading },
    { name: 'grandmaster', what: 'grandmaster to UTC, by its clockAccuracy', ns: grandmaster },
  ];
  const hostNs = add([offset, system, reading]);
  const isUtc = timescale === 'ptp' && seen.every(({ clock }) => clock.time.isPtpTimescale);
  return {
    parts,
    hostNs,
    utcNs: isUtc ? add([hostNs, grandmaster]) : undefined,
    asymmetryNs: Math.max(0, ...seen.map(({ clock }) => Math.abs(clock.pathDelayNs))),
  };
}

/** The device was read somewhere in the window: half of it either way. */
function readingErrorNs({ reading }: Seen): number | undefined {
  if (reading === undefined) return 0;
  return 'error' in reading ? undefined : Math.ceil(reading.delayNs / 2);
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 || known.length < values.length ? undefined : Math.max(...known);
}

function add(values: readonly (number | undefined)[]): number | undefined {
  return values.includes(undefined) ? undefined : values.reduce((sum: number, value) => sum + (value as number), 0);
}

function mapKnown(value: number | undefined, change: (value: number) => number): number | undefined {
  return value === undefined ? undefined : change(value);
}

/** A limit beside what it is held against. */
export interface LimitRow {
  readonly name: string;
  readonly source: string;
  readonly limitNs: number;
  /** undefined: not known. */
  readonly valueNs: number | undefined;
  readonly granularityNs: number | undefined;
}

/** Our own limit is for what the host does; those of regulators are for UTC. */
export function limitRows(budget: Budget, { limitNs, utcLimits }: PtpExpectation): readonly LimitRow[] {
  const own = { name: 'internal', source: 'this host against its grandmaster', granularityNs: undefined };
  return [
    { ...own, limitNs, valueNs: budget.hostNs },
    ...utcLimits.map(({ name, source, divergenceNs, granularityNs }) => ({
      name,
      source,
      limitNs: divergenceNs,
      valueNs: budget.utcNs,
      granularityNs,
    })),
  ];
}
