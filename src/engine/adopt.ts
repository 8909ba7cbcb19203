import { HftError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import type { LayoutWanted } from '../layout/schema.ts';
import type { Setting } from '../tuning/domain.ts';
import { type AppliedStep, applySteps, type PlannedStep, planSteps, type SkippedStep } from './apply.ts';
import { compare } from './compare.ts';
import { type Adopted, type Run, RunJournal, readRun, readRuns } from './journal.ts';
import type { Change } from './plan.ts';
import { readBootId } from './rollback.ts';
import { type Engine, refuseUnsettled } from './tune.ts';
import { readLiving, undoRun } from './undo.ts';

export interface AdoptRequest {
  readonly adopted: Adopted;
  /** Of a profile that asks for nothing. */
  readonly layout: LayoutWanted;
  /** What the threads that are there now should have; asked again after each round, for threads that came meanwhile. */
  readonly desire: () => Promise<readonly Setting[]>;
}

export interface AdoptOutcome {
  readonly run: string;
  readonly applied: readonly AppliedStep[];
  /** Threads that ended meanwhile. */
  readonly skipped: readonly SkippedStep[];
}

/** A process that starts threads faster than they are placed is placed as it was then; whoever watches it tells the rest. */
const MOST_ROUNDS = 8;

/** Places the threads of a running process, under the one lock and through the journal. All of them, or none and why. */
export async function adopt(engine: Engine, request: AdoptRequest): Promise<AdoptOutcome> {
  const lock = await engine.state.lock('hft adopt');
  try {
    refuseUnsettled(await readRuns(engine.state), engine.now());
    return await adoptLocked(engine, request);
  } finally {
    await lock.release();
  }
}

async function adoptLocked(engine: Engine, { adopted, layout, desire }: AdoptRequest): Promise<AdoptOutcome> {
  const { host, state } = engine;
  const journal = new RunJournal(state, engine.nameRun());
  await journal.record({
    type: 'begin',
    run: journal.run,
    time: engine.now().toISOString(),
    host: (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? host.label,
    bootId: await readBootId(engine),
    origin: 'adopt',
    adopted,
    wanted: { name: adopted.name, layout, domains: {} },
    version: engine.version,
  });
  const applied: AppliedStep[] = [];
  const skipped: SkippedStep[] = [];
  let next = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const steps = planSteps(await findChanges(engine, await desire()), next);
    if (steps.length === 0) break;
    next += steps.length;
    const report = await applySteps({ host, journal }, steps);
    applied.push(...report.applied);
    skipped.push(...report.skipped);
    const failure = report.failure ?? (await findRefused(engine, steps, report.skipped));
    if (failure !== undefined) return undoAll(engine, journal.run, failure);
  }
  await journal.record({ type: 'end', result: 'applied' });
  return { run: journal.run, applied, skipped };
}

/** A thread that lives and is not where it should be; one that has ended needs no place. */
async function findRefused(
  { host }: Engine,
  steps: readonly PlannedStep[],
  skipped: readonly SkippedStep[],
): Promise<SkippedStep | undefined> {
  for (const each of skipped) {
    const step = steps.find(({ setting }) => setting.id === each.id);
    if (step !== undefined && (await readLiving(host, step)).status !== 'missing') return each;
  }
  return undefined;
}

/** What is as it should be is no change; a thread that has ended is none either. */
async function findChanges({ host }: Engine, settings: readonly Setting[]): Promise<Change[]> {
  const changes: Change[] = [];
  for (const setting of settings) {
    const comparison = await compare(host, { domain: 'adopt', setting });
    if (comparison.is === 'change') changes.push(comparison);
  }
  return changes;
}

async function undoAll(
  engine: Engine,
  name: string,
  failure: { readonly id: string; readonly reason: string },
): Promise<never> {
  const run = (await readRun(engine.state, name)) as Run;
  const { complete } = await undoRun({ host: engine.host, state: engine.state, bootId: run.begin.bootId }, run);
  const left = complete ? 'Everything is as it was before.' : 'Not everything could be put back: run `hft rollback`.';
  throw new HftError(`The process was not adopted: ${failure.id}: ${failure.reason}. ${left}`, {
    exitCode: complete ? 3 : 4,
  });
}

/** Processes that were adopted in this boot and not given back since. */
export async function adoptedNow({
  host,
  state,
}: {
  readonly host: HostReader;
  readonly state: StateDirectory;
}): Promise<readonly Adopted[]> {
  const bootId = await readBootId({ host });
  return (await readRuns(state)).flatMap(({ begin, result, steps }) => {
    const isHeld = steps.length === 0 || steps.some(({ status }) => status !== 'undone');
    const isNow = begin.bootId === bootId && result === 'applied' && isHeld;
    return isNow && begin.adopted !== undefined ? [begin.adopted] : [];
  });
}
