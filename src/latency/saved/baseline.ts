import type { LatencyResult } from '../report/result.ts';
import type { LatencyRow } from '../report/row.ts';
import { QUANTILES, type QuantileName } from '../targets/target.ts';
import { differsIn } from './conditions.ts';
import { compareFingerprints, type Fingerprint, type FingerprintDifference } from './fingerprint.ts';
import { type SavedRun, tagOfRow } from './saved-run.ts';

/** A difference of two measurements, ns, now less then. */
export interface Difference {
  readonly value: number;
  /** 95 %, by what the samples of each measurement tell; what changes from one day to the next is not in it. null: no bound. */
  readonly lower: number | null;
  readonly upper: number | null;
}

/** What a saved measurement says of one row of a new one. */
export interface RowBaseline {
  readonly percentiles: LatencyRow['percentiles'];
  /** null where either side is n/a. */
  readonly difference: Readonly<Record<QuantileName, Difference | null>>;
}

/** Additive members of the JSON of `hft verify latency --baseline NAME`. */
export interface BaselineResult extends LatencyResult {
  readonly probes: readonly (LatencyRow & { readonly baseline: RowBaseline | null })[];
  readonly baseline: BaselineSummary;
}

export interface BaselineSummary {
  readonly name: string;
  /** The newest run that is saved under the name, and how many there are. */
  readonly run: string;
  readonly time: string;
  readonly runs: number;
  readonly fingerprint: readonly FingerprintDifference[];
  readonly notCompared: readonly { readonly row: string; readonly reason: string }[];
  /** One sentence: what the differences do not prove. */
  readonly caveat: string;
}

export const CAVEAT =
  'One measurement before and one after prove nothing: what differs from hour to hour and day to day is not in these intervals. Interleave runs of both states and let `hft verify latency compare --abab` decide.';

/** Puts the saved measurement beside each row of the new one. Pure. */
export function addBaseline(
  result: LatencyResult,
  now: Fingerprint,
  { name, saved, runs }: { readonly name: string; readonly saved: SavedRun; readonly runs: number },
): BaselineResult {
  const known = new Map(saved.result.probes.map((row) => [tagOfRow(row), row]));
  const rows = result.probes.map((row) => ({ row, tag: tagOfRow(row), earlier: known.get(tagOfRow(row)) }));
  const reasons = rows.map((each) => ({ ...each, reason: whyNotCompared(each.row, each.earlier) }));
  const unmatched = [...known.keys()].filter((tag) => !rows.some((each) => each.tag === tag));
  return {
    ...result,
    probes: reasons.map(({ row, earlier, reason }) => ({
      ...row,
      baseline: earlier === undefined || reason !== undefined ? null : compareRow(row, earlier),
    })),
    baseline: {
      name,
      run: saved.run,
      time: saved.time,
      runs,
      fingerprint: compareFingerprints(saved.fingerprint, now),
      notCompared: [
        ...reasons.flatMap(({ tag, reason }) => (reason === undefined ? [] : [{ row: tag, reason }])),
        ...unmatched.map((tag) => ({ row: tag, reason: `${name} has it, and it was not measured now` })),
      ],
      caveat: CAVEAT,
    },
  };
}

function whyNotCompared(row: LatencyRow, then: LatencyRow | undefined): string | undefined {
  if (then === undefined) return 'it is not in the saved measurement';
  const different = differsIn(then, row);
  return different === undefined ? undefined : `the saved one was measured otherwise: ${different}`;
}

function compareRow(now: LatencyRow, then: LatencyRow): RowBaseline {
  const entries = QUANTILES.map(({ name }) => [name, differenceOf(boundsOf(then, name), boundsOf(now, name))] as const);
  return {
    percentiles: then.percentiles,
    difference: Object.fromEntries(entries) as Record<QuantileName, Difference | null>,
  };
}

/** A quantile with its 95 % interval; undefined upper: no bound. */
export interface Bounds {
  readonly value: number;
  readonly lower: number;
  readonly upper: number | undefined;
}

function boundsOf(row: LatencyRow, name: QuantileName): Bounds | undefined {
  const value = row.percentiles[name];
  const { lower, upper } = row.interval[name];
  return value === null ? undefined : { value, lower, upper: upper ?? undefined };
}

/**
 * The difference of two independent estimates from the interval of each: the distances from the estimates to the bounds that matter
 * are added as squares (Zou and Donner 2008, method of variance estimates recovery).
 */
export function differenceOf(before: Bounds | undefined, after: Bounds | undefined): Difference | null {
  if (before === undefined || after === undefined) return null;
  const value = after.value - before.value;
  const down = before.upper === undefined ? null : Math.hypot(after.value - after.lower, before.upper - before.value);
  const up = after.upper === undefined ? null : Math.hypot(after.upper - after.value, before.value - before.lower);
  return { value, lower: down === null ? null : value - down, upper: up === null ? null : value + up };
}
