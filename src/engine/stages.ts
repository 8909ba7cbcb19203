import type { Host } from '../host/host.ts';
import { type ApplyReport, applySteps, type PlannedStep, planSteps } from './apply.ts';
import type { Confirmation } from './confirmation.ts';
import type { RunJournal } from './journal.ts';
import { placeAgain } from './place-again.ts';
import type { Change, Plan } from './plan.ts';
import { bootChanges, isTrialSetting } from './trial.ts';
import { tryOnce } from './trial-plan.ts';
import type { TuneRequest } from './tune.ts';

/** CPUs that come back bring a layout of their own, and that other queues; nothing is known to take more rounds. */
const MOST_ROUNDS = 3;

interface Going {
  readonly journal: RunJournal;
  readonly confirmation: Confirmation;
}

/** What was made so far, and the plan for what is left. */
interface Progress {
  readonly report: ApplyReport;
  readonly plan: Plan;
  /** The number of the next step. */
  readonly next: number;
}

/**
 * Shape first; when that changed something, the rest is planned again on what exists now, with whatever shape that
 * brings; values last. Stops at the first failure. Throws HostError when the journal cannot be written to.
 */
export async function applyStages(
  host: Host,
  request: TuneRequest,
  going: Going,
): Promise<{ report: ApplyReport; onTrial: boolean }> {
  await going.confirmation.guardIfNeeded(request.planned);
  const shaped = await applyShape(host, request, going);
  const { report, plan, next } = shaped;
  if (report.failure) return { report, onTrial: false };
  const onTrial = request.trial === true && bootChanges(plan).length > 0;
  const { run } = going.journal;
  const changes = onTrial ? await tryOnce(host, plan, { run, scope: request.scope }) : plan.changes;
  const values = changes.filter((change) => change.setting.stage === 'values');
  const made = await applySteps(applying(host, request, going), planSteps(values, next));
  return { report: join(report, made), onTrial };
}

async function applyShape(host: Host, request: TuneRequest, going: Going): Promise<Progress> {
  const tried = new Set<string>();
  let progress: Progress = {
    report: { applied: [], skipped: [], failure: undefined },
    plan: request.planned.plan,
    next: 0,
  };
  const placed: PlannedStep[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    // What was made and is different again is somebody else's doing: told after the run, not fought.
    const shape = progress.plan.changes.filter(({ setting }) => setting.stage === 'shape' && !tried.has(setting.id));
    for (const { setting } of shape) tried.add(setting.id);
    const steps = planSteps(shape, progress.next);
    const made = await applySteps(applying(host, request, going), steps);
    progress = { ...progress, report: join(progress.report, made), next: progress.next + steps.length };
    const ids = new Set(made.applied.map(({ id }) => id));
    placed.push(...steps.filter(({ setting }) => ids.has(setting.id)));
    if (made.failure || made.applied.length === 0) break;
    await placeAgain(applying(host, request, going), placed);
    progress = await planRest(request, going, progress);
    if (progress.report.failure) break;
  }
  return progress;
}

async function planRest(request: TuneRequest, { confirmation }: Going, progress: Progress): Promise<Progress> {
  const again = await request.planAgain();
  const plan = { ...again.plan, changes: withChosenBoot(request, again.plan) };
  await confirmation.guardIfNeeded(again);
  if (!isNew(plan, progress.plan) || (await confirmation.approve(plan, request.approve))) return { ...progress, plan };
  const failure = { id: plan.changes[0]?.setting.id ?? 'plan', reason: 'the second plan was declined' };
  return { ...progress, report: { ...progress.report, failure } };
}

/** The boot stages kernel arguments of its own choice only: of a trial that failed it must not stage any. */
function withChosenBoot({ origin, planned }: TuneRequest, again: Plan): readonly Change[] {
  if (origin !== 'boot') return again.changes;
  return [...again.changes.filter((change) => !isBoot(change)), ...planned.plan.changes.filter(isBoot)];
}

function isBoot({ setting }: Change): boolean {
  return setting.tunable.kind.startsWith('boot-') || isTrialSetting(setting.id);
}

/** Whether a plan wants what the plan before did not show. */
function isNew(plan: Plan, before: Plan): boolean {
  const shown = new Map(before.changes.map((change) => [change.setting.id, change.desired]));
  return plan.changes.some(({ setting, desired }) => shown.get(setting.id) !== desired);
}

function applying(host: Host, { signal, onProgress }: TuneRequest, { journal }: Going) {
  return { host, journal, ...(signal && { signal }), ...(onProgress && { onProgress }) };
}

function join(first: ApplyReport, second: ApplyReport): ApplyReport {
  return {
    applied: [...first.applied, ...second.applied],
    skipped: [...first.skipped, ...second.skipped],
    failure: second.failure,
  };
}
