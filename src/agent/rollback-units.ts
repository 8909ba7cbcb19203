import { type RollbackOutcome, type RollbackRequest, rollback } from '../engine/rollback.ts';
import type { Engine } from '../engine/tune.ts';
import { readBootId } from '../host/process-identity.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { forgetOrder } from './launch-files.ts';
import { takeBackUnits } from './unit-files.ts';

interface WithUnits {
  readonly request: RollbackRequest;
  /** Where the journal of launched units is. */
  readonly kept: StateDirectory;
}

/**
 * A rollback of everything takes the units of launched processes too, first: nothing starts by itself any more. What runs goes on until
 * `hft stop`.
 */
export async function rollbackWithUnits(engine: Engine, { request, kept }: WithUnits): Promise<RollbackOutcome> {
  if (request.scope !== 'all') return rollback(engine, request);
  const units = await takeBackLaunched(engine, kept);
  const outcome = await rollback(engine, request);
  return { ...outcome, reports: [...units.reports, ...outcome.reports], complete: units.complete && outcome.complete };
}

async function takeBackLaunched({ host, state, version, now, nameRun }: Engine, kept: StateDirectory) {
  const lock = await state.lock('hft rollback');
  try {
    const reports = await takeBackUnits({ host, kept, version, now, nameRun, bootId: readBootId() });
    const complete = reports.every((report) => report.complete);
    if (complete) await forgetOrder(kept);
    return { reports, complete };
  } finally {
    await lock.release();
  }
}
