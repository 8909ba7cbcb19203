import { HftError, HostError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import type { Machine } from '../topology/machine.ts';
import type { TuningDomain } from '../tuning/domain.ts';
import { type ApplyReport, applySteps, findDrift, planSteps } from './apply.ts';
import { type Run, RunJournal, readRuns } from './journal.ts';
import { observeAndPlan, type Scope, type Wanted } from './observe.ts';
import type { Change, Plan } from './plan.ts';
import { readSession, type SessionFacts } from './session.ts';
import { bootChanges } from './trial.ts';
import { tryOnce } from './trial-plan.ts';
import { type UndoReport, undoRun } from './undo.ts';

/** What the engine works with: the machine, hft's own state, the list of domains. */
export interface Engine {
  readonly host: Host;
  readonly state: StateDirectory;
  readonly domains: readonly TuningDomain[];
  readonly version: string;
  readonly now: () => Date;
  /** A new name for a run, sorting by time. */
  readonly nameRun: () => string;
}

export interface TuneRequest {
  readonly wanted: Wanted;
  readonly scope?: Scope;
  /** The plan that was shown. Refused as stale when the machine is not as it says. */
  readonly plan: Plan;
  readonly origin: 'user' | 'boot';
  /** Kernel arguments are booted once from a trial entry before they become the default. */
  readonly trial?: boolean;
  /** Taken back by the host itself unless confirmed within this time; undefined: needs no confirmation. */
  readonly confirmWithinS?: number;
  /** Starts the watch on the host that takes an unconfirmed run back. Called before anything is written. */
  readonly armGuard?: (run: string) => Promise<void>;
  /** Asked when the values to set differ from those shown, since changing what exists (queues) brought others. */
  readonly approve: (plan: Plan) => Promise<boolean>;
  /** Aborted by Ctrl-C: the run stops before its next change and is undone. */
  readonly signal?: AbortSignal;
}

export interface TuneOutcome {
  readonly run: string;
  readonly result: 'applied' | 'undone' | 'partly-undone';
  readonly report: ApplyReport;
  readonly undo: UndoReport | undefined;
  /** ISO 8601; the run waits for `hft confirm` until then. */
  readonly confirmBy: string | undefined;
  /** The plan made again afterwards: empty but for what was skipped, or needs a reboot. */
  readonly after: Plan;
  /** The kernel arguments are tried once at the next boot, and judged by the unit that puts the profile back. */
  readonly onTrial: boolean;
}

/** A request with the changes that are really made: the plan's, or a trial entry in place of kernel arguments. */
type ChosenChanges = TuneRequest & {
  readonly changes: readonly Change[];
  /** How the host could be reached before the run; undefined: the run needs no confirmation. */
  readonly session: SessionFacts | undefined;
};

/** Applies a plan under the one lock. Everything as wanted, or everything as before and why; never in between. */
export async function tune(engine: Engine, request: TuneRequest): Promise<TuneOutcome> {
  const lock = await engine.state.lock('hft tune');
  try {
    refuseUnsettled(await readRuns(engine.state), engine.now());
    return await tuneLocked(engine, request);
  } finally {
    await lock.release();
  }
}

async function tuneLocked(engine: Engine, request: TuneRequest): Promise<TuneOutcome> {
  const drift = await findDrift(engine.host, planSteps(request.plan.changes, 0));
  if (drift) throw new StalePlan(drift.id, drift.reason);
  const run = engine.nameRun();
  const onTrial = request.trial === true && bootChanges(request.plan).length > 0;
  const changes = onTrial ? await tryOnce(engine.host, request.plan, run) : request.plan.changes;
  const journal = await begin(engine, request, run);
  const session = await armConfirmation(engine, request, journal);
  const { report, confirmBy } = await applyOrFail(engine, { ...request, changes, session }, journal);
  if (report.failure) {
    const undo = await undoCutOff(engine, journal.run);
    const result = undo.complete ? 'undone' : 'partly-undone';
    return { run, result, report, undo, confirmBy: undefined, after: await replan(engine, request), onTrial: false };
  }
  return { run, result: 'applied', report, undo: undefined, confirmBy, after: await replan(engine, request), onTrial };
}

/** A journal that cannot be written to fails the run like a refused change does; a bug is undone too, and goes on. */
async function applyOrFail(
  engine: Engine,
  request: ChosenChanges,
  journal: RunJournal,
): Promise<{ report: ApplyReport; confirmBy: string | undefined }> {
  try {
    const report = await applyStages(engine, request, journal);
    return { report, confirmBy: report.failure ? undefined : await endApplied(engine, request, journal) };
  } catch (error) {
    if (error instanceof HostError) {
      return {
        report: { applied: [], skipped: [], failure: { id: 'journal', reason: error.message } },
        confirmBy: undefined,
      };
    }
    await undoCutOff(engine, journal.run);
    throw error;
  }
}

/** Shape first; when that changed something, the values are planned again on what exists now. */
async function applyStages(engine: Engine, request: ChosenChanges, journal: RunJournal): Promise<ApplyReport> {
  const shape = request.changes.filter((change) => change.setting.stage === 'shape');
  let values = request.changes.filter((change) => change.setting.stage === 'values');
  const applying = { host: engine.host, journal, ...(request.signal && { signal: request.signal }) };
  const first = await applySteps(applying, planSteps(shape, 0));
  if (first.failure) return first;
  if (first.applied.length > 0) {
    const again = await replan(engine, request);
    const shown = new Set(request.plan.changes.map((change) => change.setting.id));
    // Kernel arguments do not depend on what exists, and may stand in a trial entry instead.
    const isBoot = ({ setting }: Change) =>
      setting.tunable.kind.startsWith('boot-') || setting.id.startsWith('boot.trial');
    const runtime = again.changes.filter((change) => change.setting.stage === 'values' && !isBoot(change));
    values = [...runtime, ...values.filter(isBoot)];
    const isNew = values.some((change) => !shown.has(change.setting.id));
    if (isNew && !(await request.approve(again))) return { ...first, failure: declined(values) };
  }
  const second = await applySteps(applying, planSteps(values, shape.length));
  return {
    applied: [...first.applied, ...second.applied],
    skipped: [...first.skipped, ...second.skipped],
    failure: second.failure,
  };
}

function declined(values: readonly Change[]): { id: string; reason: string } {
  return { id: values[0]?.setting.id ?? 'plan', reason: 'the second plan was declined' };
}

async function begin(engine: Engine, request: TuneRequest, run: string): Promise<RunJournal> {
  const journal = new RunJournal(engine.state, run);
  const { plan, origin, wanted } = request;
  await journal.record({
    type: 'begin',
    run: journal.run,
    time: engine.now().toISOString(),
    host: plan.host,
    bootId: plan.bootId,
    origin,
    wanted,
    version: engine.version,
  });
  return journal;
}

/**
 * The time for the confirmation begins when everything is made, however long that took. Connections that came in
 * meanwhile may be older than the change that cuts them, so they prove nothing either.
 */
async function endApplied(
  engine: Engine,
  { session, confirmWithinS }: ChosenChanges,
  journal: RunJournal,
): Promise<string | undefined> {
  if (session === undefined || confirmWithinS === undefined) {
    await journal.record({ type: 'end', result: 'applied' });
    return undefined;
  }
  const { inbound } = await readSession(engine.host);
  const known = { ...session, inbound: [...session.inbound, ...inbound] };
  const time = deadlineAfter(engine, confirmWithinS);
  await journal.record({ type: 'confirm-by', time, session: known }, { type: 'end', result: 'applied' });
  return time;
}

function deadlineAfter(engine: Engine, seconds: number): string {
  return new Date(engine.now().getTime() + seconds * 1000).toISOString();
}

/** Returns how the host can be reached before the run. */
async function armConfirmation(
  engine: Engine,
  { confirmWithinS, armGuard }: TuneRequest,
  journal: RunJournal,
): Promise<SessionFacts | undefined> {
  if (confirmWithinS === undefined) return undefined;
  const session = await readSession(engine.host);
  await journal.record({ type: 'confirm-by', time: deadlineAfter(engine, confirmWithinS), session });
  try {
    await armGuard?.(journal.run);
  } catch (error) {
    await journal.record({ type: 'end', result: 'undone' });
    throw error;
  }
  return session;
}

async function replan(engine: Engine, request: TuneRequest): Promise<Plan> {
  const { host: reader, domains } = engine;
  const { wanted, scope } = request;
  return (await observeAndPlan({ reader, domains, wanted, ...(scope && { scope }) })).plan;
}

async function undoCutOff(engine: Engine, name: string): Promise<UndoReport> {
  const run = (await readRuns(engine.state)).find((each) => each.run === name) as Run;
  return undoRun({ host: engine.host, state: engine.state, bootId: run.begin.bootId }, run);
}

/** A run that was cut off, or waits for its confirmation, must be settled before another one changes the machine. */
function refuseUnsettled(runs: readonly Run[], now: Date): void {
  const cutOff = runs.find((run) => run.result === undefined);
  if (cutOff) {
    throw new HftError(`The run ${cutOff.run} was cut off and is not undone yet.`, {
      exitCode: 3,
      next: ['Run `hft rollback` to put everything back as it was before that run.'],
    });
  }
  const waiting = runs.find((run) => run.result === 'applied' && run.confirmBy !== undefined && !run.confirmed);
  if (waiting) {
    const late = new Date(waiting.confirmBy as string) < now ? ', which is over' : '';
    throw new HftError(`The run ${waiting.run} waits for a confirmation until ${waiting.confirmBy}${late}.`, {
      exitCode: 3,
      next: ['Run `hft confirm` to keep it, or `hft rollback` to take it back.'],
    });
  }
}

/** The interfaces that a plan's changes can disturb and that carry a session: such a plan waits for a confirmation. */
export function sessionInterfaces(plan: Plan, machine: Machine): readonly string[] {
  const carrying = new Set(machine.nics.filter((nic) => nic.carriesSession).map((nic) => nic.name));
  const touched = plan.changes.flatMap((change) => change.setting.interface ?? []);
  return [...new Set(touched.filter((name) => carrying.has(name)))];
}

/** The machine changed between plan and apply. Nothing was written. */
export class StalePlan extends HftError {
  constructor(id: string, reason: string) {
    super(`The plan is stale: ${id}: ${reason}.`, {
      exitCode: 3,
      next: ['Nothing was changed. Run the command again to see the plan for the machine as it is now.'],
    });
  }
}
