import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { rememberingReader } from '../host/memo.ts';
import { kindOf } from '../tunables/kinds.ts';
import type { Reading } from '../tunables/tunable.ts';
import type { Setting } from '../tuning/domain.ts';
import { inBatches } from './batch.ts';
import { bystanderSetting } from './bystanders.ts';
import { canonicalOrNull } from './compare.ts';
import type { JournalRecord, RunJournal } from './journal.ts';
import type { Change } from './plan.ts';
import { holds, readLiving } from './undo.ts';

/** One change of a plan with its place in the run. */
export interface PlannedStep {
  readonly step: number;
  readonly setting: Setting;
  readonly tunable: Setting['tunable'];
  readonly from: string | null;
  readonly to: string | null;
  readonly persistent: boolean;
  /** The id of the change that it is a bystander of. */
  readonly beside?: string;
}

export interface AppliedStep {
  readonly id: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** A change that the kernel refused and that the profile can do without. */
export interface SkippedStep {
  readonly id: string;
  readonly reason: string;
}

export interface ApplyReport {
  readonly applied: readonly AppliedStep[];
  readonly skipped: readonly SkippedStep[];
  /** What stopped the run; undefined when it went through. The caller undoes. */
  readonly failure: { readonly id: string; readonly reason: string } | undefined;
}

/**
 * The steps of a plan's changes, numbered on from `firstStep`, in the order in which they will be made: bystanders before a
 * change that would break them, and after one that takes such a change back.
 */
export function planSteps(changes: readonly Change[], firstStep: number): readonly PlannedStep[] {
  const made = changes.flatMap((change) => {
    const { setting, current, staged, desired, bystanders = [] } = change;
    const own = { setting, from: staged === undefined ? current : staged, to: desired };
    const moved = bystanders.map((each) => ({
      setting: bystanderSetting(change, each),
      from: each.from,
      to: each.to,
      beside: setting.id,
    }));
    return setting.leftBy === undefined ? [...moved, own] : [own, ...moved];
  });
  return made.map((each, index) => {
    const { tunable } = each.setting;
    return { ...each, step: firstStep + index, tunable, persistent: kindOf(tunable).persistent };
  });
}

/** The first step whose machine is not as the plan saw it; undefined when the plan still holds. Writes nothing. */
export async function findDrift(
  host: Host,
  steps: readonly PlannedStep[],
): Promise<{ id: string; reason: string } | undefined> {
  const reader = rememberingReader(host);
  for (const step of steps.filter((each) => !wanders(each))) {
    const reading = await readLiving(reader, step);
    if (!holds(reading, step.tunable, step.from)) {
      return { id: step.setting.id, reason: `the plan saw ${show(step.from)}, now ${reading.evidence}` };
    }
  }
  return undefined;
}

/** Where changes are made and journaled. An aborted signal (Ctrl-C) stops before the next batch. */
export interface Applying {
  readonly host: Host;
  readonly journal: RunJournal;
  readonly signal?: AbortSignal;
  /** Told after every batch. */
  readonly onProgress?: (progress: ApplyProgress) => void;
}

/** How far a stage of a run is, in changes, and the last one that was made. */
export interface ApplyProgress {
  readonly done: number;
  readonly of: number;
  readonly what: string;
}

/**
 * Makes the changes in order: intent on disk, write, read back, done. Stops at the first failure; undoing is the
 * caller's. Intents of changes that end with the power share one fsync; the others have one each.
 */
export async function applySteps(
  { host, journal, signal, onProgress }: Applying,
  steps: readonly PlannedStep[],
): Promise<ApplyReport> {
  const applied: AppliedStep[] = [];
  const skipped: SkippedStep[] = [];
  const volatile = steps.filter((step) => !step.persistent);
  if (volatile.length > 0) await journal.record(...volatile.map(intent));
  for (const planned of inBatches(steps)) {
    await hearSignals();
    if (signal?.aborted)
      return { applied, skipped, failure: { id: (planned[0] as PlannedStep).setting.id, reason: 'interrupted' } };
    const batch = await rememberAll(host, planned);
    if ('failure' in batch) return { applied, skipped, failure: batch.failure };
    const lasting = batch.filter((step) => step.persistent);
    if (lasting.length > 0) await journal.record(...lasting.map(intent));
    const outcome = await applyBatch(host, journal, batch);
    applied.push(...outcome.applied);
    skipped.push(...outcome.skipped);
    if (outcome.failure) return { applied, skipped, failure: outcome.failure };
    const done = applied.length + skipped.length;
    onProgress?.({ done, of: steps.length, what: (planned.at(-1) as PlannedStep).setting.id });
  }
  return { applied, skipped, failure: undefined };
}

/**
 * Kernel files are written synchronously, so a run of them would let no event in: Ctrl-C has to be heard before the next
 * change and not after the last.
 */
function hearSignals(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What cannot be remembered could not be put back, so it is not changed. */
async function rememberAll(
  host: Host,
  planned: readonly PlannedStep[],
): Promise<readonly PlannedStep[] | { readonly failure: NonNullable<ApplyReport['failure']> }> {
  try {
    return await Promise.all(planned.map((step) => remember(host, step)));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { failure: { id: (planned[0] as PlannedStep).setting.id, reason: error.message } };
  }
}

/** Only what lives across boots is remembered: the intents of the rest are on disk already. */
async function remember(host: Host, step: PlannedStep): Promise<PlannedStep> {
  const kind = kindOf(step.tunable);
  if (!step.persistent || kind.remember === undefined) return step;
  return { ...step, tunable: await kind.remember(host, step.tunable) };
}

async function applyBatch(host: Host, journal: RunJournal, batch: readonly PlannedStep[]): Promise<ApplyReport> {
  const before = rememberingReader(host);
  const due: PlannedStep[] = [];
  const skipped: SkippedStep[] = [];
  for (const planned of batch) {
    const reading = await readLiving(before, planned);
    const step = await adoptMoved(journal, planned, reading);
    if (holds(reading, step.tunable, step.from) || (await isReset(before, step, reading))) due.push(step);
    // An earlier change of this run can have brought this one along (vm.dirty_bytes zeroes vm.dirty_ratio); the undo
    // of that one brings it back.
    else if (holds(reading, step.tunable, step.to))
      await note(journal, step, { type: 'done', step: step.step, reported: step.to });
    else {
      const reason = `expected ${show(step.from)} before the write, found ${reading.evidence}`;
      if (step.setting.ifRefused === 'fail') return failed(step, reason);
      // A thread has ended, or a change of this run moved it: what the profile can do without stays as it is.
      await note(journal, step, { type: 'skipped', step: step.step, reason });
      skipped.push({ id: step.setting.id, reason });
    }
  }
  if (due.length === 0) return { applied: [], skipped, failure: undefined };
  const error = await write(host, due);
  const settled = await settle({ host, journal, due, error });
  return { ...settled, skipped: [...skipped, ...settled.skipped] };
}

/**
 * irqbalance moves interrupts every ten seconds, and the kernel moves those of a CPU that goes offline: where one was when
 * the plan was made says nothing against the plan.
 */
function wanders({ tunable }: PlannedStep): boolean {
  return tunable.kind === 'irq-affinity';
}

/** What an undo restores is the value right before the write: a newer intent of the step takes the place of the first. */
async function adoptMoved(journal: RunJournal, step: PlannedStep, reading: Reading): Promise<PlannedStep> {
  const isAsKnown = holds(reading, step.tunable, step.from) || holds(reading, step.tunable, step.to);
  if (!wanders(step) || reading.status !== 'value' || isAsKnown) return step;
  const moved = { ...step, from: canonicalOrNull(step.tunable, reading.value) };
  await note(journal, moved, intent(moved));
  return moved;
}

/** A partition that went away a moment ago let the thread loose: nobody else's change, and not what to come back to. */
async function isReset(reader: HostReader, { tunable }: PlannedStep, reading: Reading): Promise<boolean> {
  if (reading.status !== 'value' || reading.value === null) return false;
  return (await kindOf(tunable).disturbedBy?.isReset(reader, reading.value)) ?? false;
}

/** undefined when the kernel took the writes. */
async function write(host: Host, due: readonly PlannedStep[]): Promise<HostError | undefined> {
  try {
    const kind = kindOf((due[0] as PlannedStep).tunable);
    await kind.write(
      host,
      due.map((step) => ({ tunable: step.tunable, value: step.to })),
    );
    return undefined;
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
}

interface Settling {
  readonly host: Host;
  readonly journal: RunJournal;
  readonly due: readonly PlannedStep[];
  readonly error: HostError | undefined;
}

/** Reads back what a batch of writes came to, and journals it. */
async function settle({ host, journal, due, error }: Settling): Promise<ApplyReport> {
  const after = rememberingReader(host);
  const applied: AppliedStep[] = [];
  const skipped: SkippedStep[] = [];
  let failure: ApplyReport['failure'];
  for (const step of due) {
    const reading = await readLiving(after, step);
    const reported = reading.status === 'value' ? canonicalOrNull(step.tunable, reading.value) : null;
    await note(journal, step, { type: 'done', step: step.step, reported });
    if (holds(reading, step.tunable, step.to)) {
      applied.push({ id: step.setting.id, from: step.from, to: step.to });
      continue;
    }
    const reason = explain(step, reading, error);
    const isLeft = step.setting.ifRefused === 'skip' && (await takeBack(host, step, reading));
    if (isLeft) await note(journal, step, skip(step, reason, error));
    if (isLeft) skipped.push({ id: step.setting.id, reason });
    else failure ??= { id: step.setting.id, reason };
  }
  return { applied, skipped, failure };
}

function explain(step: PlannedStep, reading: Reading, error: HostError | undefined): string {
  const wrote = `wrote ${show(step.to)}, the kernel reports ${reading.evidence}`;
  return error === undefined ? wrote : `${error.message}; ${reading.evidence}`;
}

function skip({ step }: PlannedStep, reason: string, error: HostError | undefined): JournalRecord {
  return { type: 'skipped', step, reason, ...(error && { code: error.code }) };
}

/** Puts the old value back where the kernel made something else of the wish. True when the old value is there, or nothing is any more. */
async function takeBack(host: Host, step: PlannedStep, reading: Reading): Promise<boolean> {
  if (reading.status === 'missing' || holds(reading, step.tunable, step.from)) return true;
  await write(host, [{ ...step, to: step.from }]);
  return holds(await readLiving(host, step), step.tunable, step.from);
}

async function note(journal: RunJournal, step: PlannedStep, record: JournalRecord): Promise<void> {
  if (step.persistent) await journal.record(record);
  else await journal.note(record);
}

function failed(step: PlannedStep, reason: string): ApplyReport {
  return { applied: [], skipped: [], failure: { id: step.setting.id, reason } };
}

/** What the journal holds of a step before it is made. */
export function intent(step: PlannedStep): JournalRecord {
  const { setting, tunable, from, to, persistent, beside } = step;
  const { id, stage, disruption, interface: name } = setting;
  const kept = { stage, disruption, ...(name !== undefined && { interface: name }), ...(beside && { beside }) };
  return { type: 'intent', step: step.step, id, tunable, from, to, persistent, ...kept };
}

function show(value: string | null): string {
  return value === null ? 'nothing' : value.includes('\n') ? `${value.length} characters` : value;
}
