import { HftError, HostError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { ProcessIdentity } from '../host/process-identity.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import type { Machine } from '../topology/machine.ts';
import type { TuningDomain } from '../tuning/domain.ts';
import { type ApplyProgress, type ApplyReport, findDrift, planSteps } from './apply.ts';
import { Confirmation } from './confirmation.ts';
import { type Run, RunJournal, readRun, readRuns } from './journal.ts';
import type { Plan } from './plan.ts';
import type { Scope, Wanted } from './scope.ts';
import { applyStages } from './stages.ts';
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

/** A plan, with the machine it was made from. */
export interface Planned {
  readonly plan: Plan;
  readonly machine: Machine;
}

/** How a change that can cut the session is taken back by the host itself. */
export interface Guard {
  /** Taken back unless confirmed within this time after everything is made. */
  readonly confirmWithinS: number;
  /** Whatever the run changes: it is kept only when somebody confirms it, not since the host is still reachable. */
  readonly always?: boolean;
  /** Who will confirm it, where that can be nobody else: when it dies, the run is taken back at once. */
  readonly owner?: ProcessIdentity;
  /** Starts the watch on the host. Returns when it is at work; throws when it is not. */
  readonly arm: (run: string) => Promise<void>;
}

export interface TuneRequest {
  readonly wanted: Wanted;
  readonly scope?: Scope;
  /** The plan that was shown. Refused as stale when the machine is not as it says. */
  readonly planned: Planned;
  /** The plan for the machine as it is now. */
  readonly planAgain: () => Promise<Planned>;
  readonly origin: 'user' | 'boot' | 'heal';
  /** Kernel arguments are booted once from a trial entry before they become the default. */
  readonly trial?: boolean;
  /** For a run that somebody watches through the network; armed before anything is written that can cut that. */
  readonly guard?: Guard;
  /** Asked when the values to set differ from those shown, since changing what exists (queues) brought others. The
   *  signal ends the question: nobody answers through a session that is cut. */
  readonly approve: (plan: Plan, signal?: AbortSignal) => Promise<boolean>;
  /** Aborted by Ctrl-C: the run stops before its next change and is undone. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ApplyProgress) => void;
}

export interface TuneOutcome {
  readonly run: string;
  readonly result: 'applied' | 'undone' | 'partly-undone';
  readonly report: ApplyReport;
  readonly undo: UndoReport | undefined;
  /** ISO 8601; the run waits for `hft confirm` until then. */
  readonly confirmBy: string | undefined;
  /** The plan made again afterwards: empty but for what needs a reboot. */
  readonly after: Plan;
  /** The kernel arguments are tried once at the next boot, and judged by the unit that puts the profile back. */
  readonly onTrial: boolean;
}

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
  const drift = await findDrift(engine.host, planSteps(request.planned.plan.changes, 0));
  if (drift) throw new StalePlan(drift.id, drift.reason);
  const run = engine.nameRun();
  const journal = await begin(engine, request, run);
  const confirmation = new Confirmation(engine, journal, request.guard);
  const { report, confirmBy, onTrial } = await applyOrFail(engine, request, { journal, confirmation });
  if (report.failure) {
    const undo = await undoCutOff(engine, run);
    const result = undo.complete ? 'undone' : 'partly-undone';
    const { plan: after } = await request.planAgain();
    return { run, result, report, undo, confirmBy: undefined, after, onTrial: false };
  }
  const { plan: after } = await request.planAgain();
  return { run, result: 'applied', report, undo: undefined, confirmBy, after, onTrial };
}

interface Going {
  readonly journal: RunJournal;
  readonly confirmation: Confirmation;
}

/** A journal that cannot be written to fails the run like a refused change does; a bug is undone too, and goes on. */
async function applyOrFail(
  engine: Engine,
  request: TuneRequest,
  { journal, confirmation }: Going,
): Promise<{ report: ApplyReport; confirmBy: string | undefined; onTrial: boolean }> {
  try {
    const { report, onTrial } = await applyStages(engine.host, request, { journal, confirmation });
    return { report, onTrial, confirmBy: report.failure ? undefined : await confirmation.endApplied() };
  } catch (error) {
    if (error instanceof HostError) {
      const failure = { id: 'journal', reason: error.message };
      return { report: { applied: [], skipped: [], failure }, confirmBy: undefined, onTrial: false };
    }
    await undoCutOff(engine, journal.run);
    throw error;
  }
}

async function begin(engine: Engine, { planned, origin, wanted, scope }: TuneRequest, run: string) {
  const journal = new RunJournal(engine.state, run);
  const { plan } = planned;
  const chosen = {
    ...(scope?.only && { only: scope.only }),
    ...(scope?.skip && { skip: scope.skip }),
    ...(scope?.onlyIds && { onlyIds: scope.onlyIds }),
  };
  const released = plan.kept.map(({ id, tunable, found }) => ({ type: 'released', id, tunable, found }) as const);
  await journal.record(
    {
      type: 'begin',
      run,
      time: engine.now().toISOString(),
      host: plan.host,
      bootId: plan.bootId,
      origin,
      wanted,
      ...(Object.keys(chosen).length > 0 && { scope: chosen }),
      version: engine.version,
    },
    ...released,
  );
  return journal;
}

async function undoCutOff(engine: Engine, name: string): Promise<UndoReport> {
  const run = (await readRun(engine.state, name)) as Run;
  return undoRun({ host: engine.host, state: engine.state, bootId: run.begin.bootId }, run);
}

/** A run that was cut off, or waits for its confirmation, must be settled before another one changes the machine. */
export function refuseUnsettled(runs: readonly Run[], now: Date): void {
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

/** The machine changed between plan and apply. Nothing was written. */
export class StalePlan extends HftError {
  constructor(id: string, reason: string) {
    super(`The plan is stale: ${id}: ${reason}.`, {
      exitCode: 3,
      next: ['Nothing was changed. Run the command again to see the plan for the machine as it is now.'],
    });
  }
}
