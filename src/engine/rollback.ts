import { HftError, UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { findInForce } from './in-force.ts';
import { forgetRun, type Run, RunJournal, readRuns } from './journal.ts';
import type { Engine } from './tune.ts';
import { type UndoReport, undoRun } from './undo.ts';

/** Which changes to take back: the newest profile (default), everything since a run, everything, or single settings. */
export interface RollbackRequest {
  readonly scope:
    | 'last'
    | 'all'
    | { readonly to: string }
    | { readonly items: readonly string[] }
    | { readonly run: string };
}

export interface RollbackOutcome {
  readonly reports: readonly UndoReport[];
  readonly complete: boolean;
  /** The profile that is in force again, by an older run. */
  readonly again?: ProfileAgain;
}

export interface ProfileAgain {
  readonly profile: string;
  /** Its run was made before the last boot: what it set until then is not set now, but for what a boot brings back. */
  readonly isOfEarlierBoot: boolean;
}

/** Undoes runs newest first, under the lock. Nothing to undo is a report without runs, not an error. */
export async function rollback(engine: Engine, request: RollbackRequest): Promise<RollbackOutcome> {
  const lock = await engine.state.lock('hft rollback');
  try {
    const bootId = await readBootId(engine);
    const open = (await readRuns(engine.state)).filter((run) => isOpen(run) && !isPast(run, bootId));
    if (typeof request.scope === 'object' && 'items' in request.scope) {
      return undoItems(engine, open, { items: request.scope.items, bootId });
    }
    const reports: UndoReport[] = [];
    const chosen = chooseRuns(open, request.scope);
    for (const run of chosen.toReversed()) {
      reports.push(await undoRun({ host: engine.host, state: engine.state, bootId }, run));
    }
    const complete = reports.every((report) => report.complete);
    const isOfProfile = chosen.some(({ begin }) => begin.origin !== 'adopt');
    return { reports, complete, ...(isOfProfile && (await findAgain(engine, bootId))) };
  } finally {
    await lock.release();
  }
}

async function findAgain(engine: Engine, bootId: string | undefined): Promise<{ readonly again?: ProfileAgain }> {
  const run = findInForce(await readRuns(engine.state));
  if (run === undefined) return {};
  return { again: { profile: run.begin.wanted.name, isOfEarlierBoot: run.begin.bootId !== bootId } };
}

/** Undoes every run that was cut off. What `hft tune` and the boot do before anything else. */
export async function recover(engine: Engine): Promise<RollbackOutcome> {
  const isCutOff = (run: Run) => run.result === undefined;
  if (!(await readRuns(engine.state)).some(isCutOff)) return { reports: [], complete: true };
  const lock = await engine.state.lock('hft recovery');
  try {
    const bootId = await readBootId(engine);
    const reports: UndoReport[] = [];
    for (const run of (await readRuns(engine.state)).filter(isCutOff).toReversed()) {
      reports.push(await undoRun({ host: engine.host, state: engine.state, bootId }, run));
    }
    return { reports, complete: reports.every((report) => report.complete) };
  } finally {
    await lock.release();
  }
}

/** Keeps a run that waits for its confirmation. Returns its name, or undefined when none waits. */
export async function confirm(engine: Engine): Promise<string | undefined> {
  const waiting = findWaiting(await readRuns(engine.state));
  if (!waiting) return undefined;
  const lock = await engine.state.lock('hft confirm');
  try {
    const still = findWaiting(await readRuns(engine.state));
    if (!still) return undefined;
    await new RunJournal(engine.state, still.run).record({ type: 'confirmed' });
    return still.run;
  } finally {
    await lock.release();
  }
}

/** The run that waits for a confirmation, applied and not yet kept or taken back. */
export function findWaiting(runs: readonly Run[]): Run | undefined {
  return runs.findLast((run) => run.result === 'applied' && run.confirmBy !== undefined && !run.confirmed);
}

/** Boot-time runs of earlier boots whose changes all ended with the power hold nothing any more. */
export async function forgetSpentRuns(engine: Engine): Promise<void> {
  const bootId = await readBootId(engine);
  for (const run of await readRuns(engine.state)) {
    const isSpent = run.steps.every(
      (step) => !step.persistent || step.status === 'undone' || step.status === 'skipped',
    );
    if (run.begin.origin !== 'user' && run.begin.bootId !== bootId && run.result !== undefined && isSpent) {
      await forgetRun(engine.state, run.run);
    }
  }
}

export async function readBootId(engine: { readonly host: HostReader }): Promise<string | undefined> {
  return (await engine.host.readText('/proc/sys/kernel/random/boot_id'))?.trim();
}

/** Processes that were adopted before the last boot ended with it. */
function isPast({ begin }: Run, bootId: string | undefined): boolean {
  return begin.origin === 'adopt' && begin.bootId !== bootId;
}

/** Nobody asked for these runs: the newest that somebody asked for is taken back, with what came after it. */
const BY_ITSELF: readonly Run['begin']['origin'][] = ['boot', 'heal'];

function isOpen(run: Run): boolean {
  return run.result !== 'undone';
}

function chooseRuns(open: readonly Run[], scope: 'last' | 'all' | { to: string } | { run: string }): readonly Run[] {
  if (scope === 'all') return open;
  if (scope === 'last') {
    const start = open.findLastIndex((run) => !BY_ITSELF.includes(run.begin.origin));
    return open.slice(Math.max(start, 0));
  }
  const name = 'to' in scope ? scope.to : scope.run;
  const at = open.findIndex((run) => run.run === name);
  if (at < 0) {
    const known = open.map((run) => run.run).join(', ') || 'none';
    throw new UsageError(`There is no run ${name} to undo. Runs that can be undone: ${known}.`);
  }
  // `--to RUN` keeps that run and takes back what came after it.
  return 'to' in scope ? open.slice(at + 1) : open.slice(at, at + 1);
}

interface ItemRequest {
  readonly items: readonly string[];
  readonly bootId: string | undefined;
}

async function undoItems(
  engine: Engine,
  open: readonly Run[],
  { items, bootId }: ItemRequest,
): Promise<RollbackOutcome> {
  const known = new Set(open.flatMap((run) => run.steps.map((step) => step.id)));
  const unknown = items.find((item) => !known.has(item));
  if (unknown !== undefined) {
    throw new HftError(`${unknown} was not changed by hft; nothing was undone.`, {
      exitCode: 2,
      next: ['`hft status --json` lists the changes in force by their ids.'],
    });
  }
  const reports: UndoReport[] = [];
  for (const run of open.toReversed()) {
    const own = new Set(run.steps.map((step) => step.id).filter((id) => items.includes(id)));
    if (own.size > 0) reports.push(await undoRun({ host: engine.host, state: engine.state, bootId }, run, own));
  }
  return { reports, complete: reports.every((report) => report.complete) };
}
