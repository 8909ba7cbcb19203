import { type RollbackOutcome, type RollbackRequest, rollback } from '../engine/rollback.ts';
import type { Engine } from '../engine/tune.ts';
import { readBootId } from '../host/process-identity.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { forgetEnvironments } from './environment-files.ts';
import { forgetOrder } from './launch-files.ts';
import { keepUnitsForThisBoot, type PassingSite } from './passing-units.ts';
import { takeBackUnits } from './unit-files.ts';

interface WithUnits {
  readonly request: RollbackRequest;
  /** Where the journal of launched units is. */
  readonly kept: StateDirectory;
  /** Where is what ends with the boot. */
  readonly run: StateDirectory;
}

/**
 * A rollback of everything takes the units of launched processes too, first: nothing starts by itself after the next boot. What runs goes on
 * as it was until `hft stop`.
 */
export async function rollbackWithUnits(engine: Engine, { request, kept, run }: WithUnits): Promise<RollbackOutcome> {
  if (request.scope !== 'all') return rollback(engine, request);
  const { host, version, now, nameRun } = engine;
  const units = await takeBackLaunched(engine, { host, kept, run, version, now, nameRun, bootId: readBootId() });
  const outcome = await rollback(engine, request);
  return { ...outcome, reports: [...units.reports, ...outcome.reports], complete: units.complete && outcome.complete };
}

async function takeBackLaunched({ state }: Engine, site: PassingSite) {
  const lock = await state.lock('hft rollback');
  try {
    const runs = await keepUnitsForThisBoot(site);
    const reports = await takeBackUnits(site);
    const complete = reports.every((report) => report.complete);
    if (complete) await forgetOrder(site.kept);
    // What runs is started again with them when it ends; after the boot the next command takes them away.
    if (complete && !runs) await forgetEnvironments(site.kept, []);
    return { reports, complete };
  } finally {
    await lock.release();
  }
}
