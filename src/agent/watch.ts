import { readRuns } from '../engine/journal.ts';
import { confirm, recover, rollback } from '../engine/rollback.ts';
import { isReachableAgain, readSession } from '../engine/session.ts';
import type { Engine } from '../engine/tune.ts';
import { LockHeld } from '../host/local-state.ts';

/** How an unconfirmed run was settled. */
export type Settled = 'confirmed' | 'rolled-back' | 'settled-elsewhere';

const PERIOD_MS = 500;
/** While hft tune is at work there is nothing to do but to see whether it died, and it needs the CPU more. */
const WORKING_PERIOD_MS = 3_000;

/**
 * Watches one run until it is settled: kept when it was confirmed or the host is seen to be reachable again, taken
 * back at its deadline or when `hft tune` died in the middle. Runs on the host itself, apart from the session.
 */
export async function watchRun(engine: Engine, name: string): Promise<Settled> {
  for (;;) {
    const run = (await readRuns(engine.state)).find((each) => each.run === name);
    if (!run || run.confirmed) return run ? 'confirmed' : 'settled-elsewhere';
    if (run.result === 'undone' || run.result === 'partly-undone') return 'settled-elsewhere';
    const isLate = run.confirmBy !== undefined && engine.now() >= new Date(run.confirmBy);
    if (run.result === undefined) {
      // Refused by the lock while hft tune lives; when it takes the lock, hft tune is dead.
      if (await unlessLocked(() => recover(engine))) return 'rolled-back';
    } else if (run.session && isReachableAgain(run.session, await readSession(engine.host))) {
      if (await unlessLocked(() => confirm(engine))) return 'confirmed';
    } else if (isLate && (await unlessLocked(() => rollback(engine, { scope: { run: name } })))) {
      return 'rolled-back';
    }
    const periodMs = run.result === undefined ? WORKING_PERIOD_MS : PERIOD_MS;
    await new Promise((resolve) => setTimeout(resolve, periodMs));
  }
}

/** False when another hft holds the lock: try again at the next period. */
async function unlessLocked(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof LockHeld) return false;
    throw error;
  }
}
