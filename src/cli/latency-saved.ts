import {
  type Baselines,
  localBaselines,
  nameSavedRun,
  readLocalFingerprint,
  type SaveMode,
} from '../agent/baselines.ts';
import { HftError, UsageError } from '../errors.ts';
import { plotMeasurements } from '../latency/report/plots.ts';
import type { LatencyResult } from '../latency/report/result.ts';
import type { LatencyRow } from '../latency/report/row.ts';
import { addBaseline, type BaselineResult, type RowBaseline } from '../latency/saved/baseline.ts';
import type { Fingerprint } from '../latency/saved/fingerprint.ts';
import { logBlocks, requireName, type SavedRun } from '../latency/saved/saved-run.ts';
import type { BaselinePart } from '../views/report/input.ts';
import type { MeasuredHost } from './latency.ts';

export interface SavedFlags {
  readonly save?: string | undefined;
  readonly append?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly baseline?: string | undefined;
}

/** What became of `--save NAME`. */
export interface Saved {
  readonly name: string;
  readonly folder: string;
  /** null: it is not saved, and `error` says why. */
  readonly run: string | null;
  /** Saved under this name now. */
  readonly runs: number | null;
  readonly error: { readonly message: string; readonly next: readonly string[] } | null;
}

export interface KeptResult extends Omit<LatencyResult, 'probes'>, Partial<Pick<BaselineResult, 'baseline'>> {
  readonly probes: readonly (LatencyRow & { readonly baseline?: RowBaseline | null })[];
  readonly saved?: Saved;
}

/** Where measurements are kept, and what the machine is like. */
export interface Keeper {
  readonly baselines: Baselines;
  readonly readFingerprint: () => Promise<Fingerprint>;
}

export function localKeeper(version: string): Keeper {
  return {
    baselines: localBaselines(process.env),
    readFingerprint: () => readLocalFingerprint(process.env, version),
  };
}

export interface Kept<M extends MeasuredHost> {
  readonly result: KeptResult;
  readonly exitCode: number;
  readonly measured: M;
}

/**
 * Measures, and keeps or compares what was measured as the flags ask. What can be wrong with a name is found before measuring; when
 * saving fails after it, the measurement is in the result all the same and the exit code is that of the failure.
 */
export async function measureAndKeep<M extends MeasuredHost>(
  { baselines, readFingerprint }: Keeper,
  flags: SavedFlags,
  measure: (baseline?: BaselinePart) => Promise<M>,
): Promise<Kept<M>> {
  const { save, baseline: baselineName } = flags;
  if (save === undefined && baselineName === undefined) {
    const measured = await measure();
    return { result: measured.result, exitCode: measured.exitCode, measured };
  }
  const mode = modeOf(flags);
  if (save !== undefined) {
    requireName('--save', save);
    await baselines.prepare(save, mode);
  }
  const then = baselineName === undefined ? undefined : await loadNewest(baselines, baselineName);
  const fingerprint = await readFingerprint();
  const measured = await measure(then && { ...then.saved, name: then.name });
  const { result, exitCode } = measured;
  const beside = then === undefined ? result : addBaseline(result, fingerprint, then);
  if (save === undefined) return { result: beside, exitCode, measured };
  const { saved, failure } = await trySave(baselines, { name: save, mode, fingerprint, measured });
  return { result: { ...beside, saved }, exitCode: failure ?? exitCode, measured };
}

function modeOf({ append, force }: SavedFlags): SaveMode {
  if (append) return 'append';
  return force ? 'force' : 'new';
}

async function loadNewest(baselines: Baselines, name: string) {
  requireName('--baseline', name);
  const runs = await baselines.load(name);
  const newest = runs.at(-1);
  if (newest === undefined) throw new UsageError(`--baseline ${name}: there is no run in it.`);
  return { name, saved: newest.saved, runs: runs.length };
}

interface ToSave {
  readonly name: string;
  readonly mode: SaveMode;
  readonly fingerprint: Fingerprint;
  readonly measured: MeasuredHost;
}

async function trySave(baselines: Baselines, { name, mode, fingerprint, measured }: ToSave) {
  const about = { name, folder: baselines.pathOf(name) };
  const failed = (message: string, next: readonly string[], failure: number) => ({
    saved: { ...about, run: null, runs: null, error: { message, next } },
    failure,
  });
  const { result, outcomes } = measured;
  if (result.cut) return failed('A measurement that was cut is not saved.', ['Let it run to its end.'], 6);
  if (result.probes.length === 0) return failed('Nothing was measured, so nothing is saved.', [], 6);
  try {
    const startEpochS = Math.min(...outcomes.map((outcome) => outcome.startedEpochS));
    const time = new Date(startEpochS * 1000);
    const run = nameSavedRun(time);
    const plots = plotMeasurements(outcomes);
    const saved: SavedRun = { format: 1, run, time: time.toISOString(), startEpochS, fingerprint, result, plots };
    const { runs } = await baselines.save(name, mode, { saved, log: logBlocks(outcomes, startEpochS) });
    return { saved: { ...about, run, runs: runs.length, error: null }, failure: undefined };
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    return failed(`Not saved: ${error.message}`, error.next, error.exitCode);
  }
}
