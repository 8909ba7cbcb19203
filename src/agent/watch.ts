import { type Run, RunJournal, readRun } from '../engine/journal.ts';
import { confirm, type RollbackOutcome, recover, rollback } from '../engine/rollback.ts';
import { isReachableAgain, readSession } from '../engine/session.ts';
import type { Engine } from '../engine/tune.ts';
import { HostError } from '../errors.ts';
import { LockHeld } from '../host/local-state.ts';
import { judgeLiveness } from '../host/process-identity.ts';

/** How an unconfirmed run was settled. */
export type Settled = 'confirmed' | 'rolled-back' | 'partly-rolled-back' | 'settled-elsewhere';

/** While hft tune is at work there is nothing to do but to see whether it died, and it needs the CPU more. */
const PERIODS = { waitingMs: 500, workingMs: 3_000 } as const;
/** What cannot be put back now (a driver that is busy) may be possible later; a minute of trying. */
const MOST_ATTEMPTS = 20;

/**
 * Watches one run until it is settled: kept when it was confirmed or the host is seen to be reachable again, taken
 * back at its deadline, when `hft tune` died in the middle, or when who alone would confirm it has died. Runs on the host itself, apart from the session.
 */
export async function watchRun(
  engine: Engine,
  name: string,
  periods: Readonly<Record<keyof typeof PERIODS, number>> = PERIODS,
): Promise<Settled> {
  const isLate = watchDeadline(engine);
  let attempts = 0;
  for (;;) {
    const run = await readRun(engine.state, name);
    if (!run || run.result === 'undone') return 'settled-elsewhere';
    if (run.confirmed) return 'confirmed';
    if (!run.watched) await new RunJournal(engine.state, name).record({ type: 'watched' });
    if (run.session && run.result === 'applied' && (await isReachable(engine, run))) {
      if (await unlessHindered(() => confirm(engine))) return 'confirmed';
    } else {
      const undone = await takeBack(engine, run, isLate(run) || isOwnerDead(run));
      if (undone?.complete) return 'rolled-back';
      if (undone && ++attempts === MOST_ATTEMPTS) return 'partly-rolled-back';
    }
    // Without a session there is nothing to see but the deadline, and somebody measures meanwhile.
    const isWaiting = run.result === 'applied' && run.session !== undefined;
    const periodMs = isWaiting ? periods.waitingMs : periods.workingMs;
    await new Promise((resolve) => setTimeout(resolve, periodMs));
  }
}

/** Nobody is left who could confirm it. */
function isOwnerDead({ owner }: Run): boolean {
  return owner !== undefined && judgeLiveness(owner) === 'dead';
}

/** Undefined when there is nothing to take back yet, or somebody else is at it. */
async function takeBack(engine: Engine, run: Run, isLate: boolean): Promise<RollbackOutcome | undefined> {
  // Refused by the lock while hft tune lives; when it takes the lock, hft tune is dead, or ended a moment ago: then there
  // is nothing to recover, and the run has still to be watched.
  if (run.result === undefined) {
    const recovered = await unlessHindered(() => recover(engine));
    return recovered?.reports.some((report) => report.run === run.run) ? recovered : undefined;
  }
  if (run.result === 'applied' && !isLate) return undefined;
  return unlessHindered(() => rollback(engine, { scope: { run: run.run } }));
}

async function isReachable({ host }: Engine, { session }: Run): Promise<boolean> {
  return session !== undefined && isReachableAgain(session, await readSession(host, session.interfaces));
}

/** The time that is left when a deadline is first seen, by a clock that nobody sets: PTP may set the other one by hours. */
function watchDeadline(engine: Engine): (run: Run) => boolean {
  let known: { readonly text: string; readonly atMs: number } | undefined;
  return ({ confirmBy }) => {
    if (confirmBy === undefined) return false;
    if (known?.text !== confirmBy) {
      const leftMs = new Date(confirmBy).getTime() - engine.now().getTime();
      known = { text: confirmBy, atMs: performance.now() + leftMs };
    }
    return performance.now() >= known.atMs;
  };
}

/** Undefined when another hft holds the lock, or the disk takes no lock: try again at the next period, and never give up. */
async function unlessHindered<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof LockHeld || error instanceof HostError) return undefined;
    throw error;
  }
}
