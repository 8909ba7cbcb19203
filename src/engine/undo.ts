import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { rememberingReader } from '../host/memo.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { kindOf } from '../tunables/kinds.ts';
import type { Reading, Tunable } from '../tunables/tunable.ts';
import { inBatches, sharesBatch } from './batch.ts';
import { canonicalOrNull } from './compare.ts';
import { type JournalRecord, type Run, RunJournal, type Step } from './journal.ts';

/** How undoing one change ended. */
export interface UndoneStep {
  readonly id: string;
  readonly step: number;
  /** undone: the old value is back. already: it was never changed, or is back already. gone: the reboot took it, or
   *  the thing itself is no more. kept: somebody changed it since; left as it is. failed: could not be put back. */
  readonly outcome: 'undone' | 'already' | 'gone' | 'kept' | 'failed';
  /** The value before the run. */
  readonly to: string | null;
  /** What the undo found there. */
  readonly found: string | null;
  readonly reason?: string;
  /** What an undo that failed made of it. */
  readonly left?: string | null;
}

export interface UndoReport {
  readonly run: string;
  readonly steps: readonly UndoneStep[];
  /** Everything is as before the run, but for what others changed since. */
  readonly complete: boolean;
}

export interface UndoContext {
  readonly host: Host;
  readonly state: StateDirectory;
  /** The boot that is running now. After a reboot only what lives across boots is undone. */
  readonly bootId: string | undefined;
}

/**
 * Undoes a run, newest change first. Can be cut off anywhere and run again: every step looks at the machine before it
 * writes. A value that is neither ours nor the old one belongs to somebody else and is left and reported.
 */
export async function undoRun(context: UndoContext, run: Run, only?: ReadonlySet<string>): Promise<UndoReport> {
  const journal = await resumeIfWritable(context.state, run.run);
  const wanted = [...run.steps].reverse().filter((step) => only === undefined || isAmong(run, only, step));
  const steps: UndoneStep[] = [];
  for (const batch of inBatches(wanted)) {
    const undone = await undoBatch(context, run, batch);
    steps.push(...undone);
    await noteOutcomes(journal, undone, { durable: batch.some(({ persistent }) => persistent) });
  }
  await restoreMoved(context.host, steps, wanted);
  const final = await recheckFailed(context, steps, wanted);
  const complete = final.every((step) => step.outcome !== 'failed');
  if (only === undefined) {
    await tryRecord(journal, [{ type: 'end', result: complete ? 'undone' : 'partly-undone' }], { durable: true });
  }
  return { run: run.run, steps: final, complete };
}

/** The files of a pair are one choice: of dirty_bytes alone the kernel does not take the zero back. */
function isAmong(run: Run, only: ReadonlySet<string>, step: Step): boolean {
  const companion = findCompanion(run, step);
  return only.has(step.id) || (companion !== undefined && only.has(companion.id));
}

async function undoBatch(context: UndoContext, run: Run, batch: readonly Step[]): Promise<UndoneStep[]> {
  const reader = rememberingReader(context.host);
  const judged: (UndoneStep | { readonly restore: Step; readonly found: string | null })[] = [];
  for (const step of batch) judged.push(await judge(reader, { run, step, bootId: context.bootId }));
  const restores = judged.flatMap((each) => ('restore' in each ? [each.restore] : []));
  const failure = restores.length > 0 ? await writeBack(context.host, restores) : undefined;
  const after = rememberingReader(context.host);
  return Promise.all(
    judged.map(async (each) => {
      if (!('restore' in each)) return each;
      const { restore: step, found } = each;
      const base = { id: step.id, step: step.step, to: step.from, found };
      const reading = await readLiving(after, step);
      if (holds(reading, step.tunable, step.from)) return { ...base, outcome: 'undone' as const };
      const reason = failure ?? `wrote ${step.from ?? 'nothing'}, the machine reports: ${reading.evidence}`;
      const left = reading.status === 'value' ? canonicalOrNull(step.tunable, reading.value) : null;
      return { ...base, outcome: 'failed' as const, reason, left };
    }),
  );
}

interface Judging {
  readonly run: Run;
  readonly step: Step;
  readonly bootId: string | undefined;
}

/** Whether a step has to be written back, or how it stands already. Writes nothing. */
async function judge(
  reader: HostReader,
  { run, step, bootId }: Judging,
): Promise<UndoneStep | { restore: Step; found: string | null }> {
  const base = { id: step.id, step: step.step, to: step.from, found: null };
  if (step.status === 'undone' || step.status === 'skipped') return { ...base, outcome: 'already' };
  if (!step.persistent && run.begin.bootId !== bootId) return { ...base, outcome: 'gone' };
  const reading = await readLiving(reader, step);
  if (reading.status === 'missing') return { ...base, outcome: 'gone', reason: reading.evidence };
  if (reading.status === 'unreadable') return { ...base, outcome: 'failed', reason: reading.evidence };
  const found = canonicalOrNull(step.tunable, reading.value);
  if (step.from !== null && kindOf(step.tunable).isFailure?.(step.from) === true)
    return { ...base, found, outcome: 'gone', reason: `before it was ${step.from}, which nobody can bring back` };
  if (found === canonicalOrNull(step.tunable, step.from)) return { ...base, found, outcome: 'already' };
  const isByZeroing = await isZeroedByUs(reader, run, { step, found });
  const isHalfBack = found !== null && kindOf(step.tunable).isHalfBack?.(found) === true;
  if (!(isByZeroing ?? isOurs(run, step, found)) && !isHalfBack && !(await isDisturbed(reader, run, { step, found })))
    return { ...base, found, outcome: 'kept' };
  return { restore: step, found };
}

/**
 * Ours is what the kernel reported after our write. Of a write that was cut off before that was journaled, only the
 * first such batch can have reached the machine (they are made in order): whatever it left there is ours.
 */
function isOurs(run: Run, step: Step, found: string | null): boolean {
  if (step.status === 'done') return found === canonicalOrNull(step.tunable, step.reported ?? null);
  if (step.status === 'kept') return false;
  const firstOpen = run.steps.find((each) => each.status === 'intended');
  return firstOpen !== undefined && (firstOpen.step === step.step || sharesBatch(firstOpen, step));
}

/**
 * A zero in one file of a pair came with the value of the other and belongs to whom that belongs to: to us also where hft
 * died before it journaled what the one write made of both. undefined: no such zero.
 */
async function isZeroedByUs(
  reader: HostReader,
  run: Run,
  { step, found }: { readonly step: Step; readonly found: string | null },
): Promise<boolean | undefined> {
  const companion = findCompanion(run, step);
  if (companion === undefined || found !== '0') return undefined;
  const reading = await readLiving(reader, companion);
  const value = reading.status === 'value' ? canonicalOrNull(companion.tunable, reading.value) : null;
  return value === null || value === '0' ? undefined : isOurs(run, companion, value);
}

function findCompanion(run: Run, { tunable }: Step): Step | undefined {
  if (tunable.kind !== 'file' || tunable.companion === undefined) return undefined;
  const path = tunable.companion;
  return run.steps.find((each) => each.tunable.kind === 'file' && each.tunable.path === path);
}

/** What another change of this run, made or taken back, made the kernel do to this place is nobody's choice. */
async function isDisturbed(
  reader: HostReader,
  run: Run,
  { step, found }: { readonly step: Step; readonly found: string | null },
): Promise<boolean> {
  const { disturbedBy } = kindOf(step.tunable);
  if (disturbedBy === undefined || step.status !== 'done' || found === null) return false;
  const isMadeBeside = run.steps.some((each) => each.tunable.kind === disturbedBy.kind && each.step > step.step);
  return isMadeBeside && (await disturbedBy.isReset(reader, found));
}

/** Undefined when the writes went through; else what refused them. */
async function writeBack(host: Host, steps: readonly Step[]): Promise<string | undefined> {
  const tunable = (steps[0] as Step).tunable;
  try {
    await kindOf(tunable).write(
      host,
      steps.map((step) => ({ tunable: step.tunable, value: step.from })),
    );
    return undefined;
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}

/** Putting queues back makes the driver place their interrupts anew: what was put back before that is put back again. */
async function restoreMoved(host: Host, steps: readonly UndoneStep[], tried: readonly Step[]): Promise<void> {
  const reader = rememberingReader(host);
  for (const undone of steps.filter((each) => each.outcome === 'undone')) {
    const step = tried.find((each) => each.step === undone.step);
    if (step?.tunable.kind !== 'irq-affinity') continue;
    const reading = await readLiving(reader, step);
    if (reading.status === 'value' && !holds(reading, step.tunable, step.from)) await writeBack(host, [step]);
  }
}

/**
 * Undoing a later step can put an earlier failure right (vm.dirty_bytes and vm.dirty_ratio zero each other), or make it
 * possible: the kernel cuts CPUs that are offline out of every affinity, and they come back last.
 */
async function recheckFailed(
  context: UndoContext,
  steps: readonly UndoneStep[],
  tried: readonly Step[],
): Promise<UndoneStep[]> {
  const final: UndoneStep[] = [];
  for (const undone of steps) {
    const step = tried.find((each) => each.step === undone.step);
    const isBack = undone.outcome === 'failed' && step !== undefined && (await tryAgain(context.host, step, undone));
    const { reason: _, left: __, ...rest } = undone;
    final.push(isBack ? { ...rest, outcome: 'undone' } : undone);
  }
  return final;
}

/** True when the old value is there, by itself or at the second try. Writes only over what the first try left. */
async function tryAgain(host: Host, step: Step, { left }: UndoneStep): Promise<boolean> {
  const reading = await readLiving(host, step);
  if (holds(reading, step.tunable, step.from)) return true;
  if (left === undefined || !holds(reading, step.tunable, left)) return false;
  await writeBack(host, [step]);
  return holds(await readLiving(host, step), step.tunable, step.from);
}

/** What undo and drift look at: the staged value where a kind stages for the next boot, else what is in effect. */
export async function readLiving(reader: HostReader, { tunable }: { readonly tunable: Tunable }): Promise<Reading> {
  const kind = kindOf(tunable);
  return kind.readStaged ? kind.readStaged(reader, tunable) : kind.read(reader, tunable);
}

/** Whether a reading is this value, in whatever spelling. */
export function holds(reading: Reading, tunable: Tunable, value: string | null): boolean {
  return reading.status === 'value' && canonicalOrNull(tunable, reading.value) === canonicalOrNull(tunable, value);
}

/** What lives across boots is synced when it was put back, like when it was set: a power cut must not make it look in force. */
async function noteOutcomes(
  journal: RunJournal | undefined,
  undone: readonly UndoneStep[],
  how: { readonly durable: boolean },
): Promise<void> {
  const records = undone.flatMap(recordOf);
  if (records.length > 0) await tryRecord(journal, records, how);
}

function recordOf({ step, outcome, found, left }: UndoneStep): readonly JournalRecord[] {
  if (outcome === 'kept') return [{ type: 'kept', step, found }];
  if (outcome !== 'failed') return [{ type: 'undone', step }];
  // What an undo made of it is ours as well: the next undo must not take it for somebody else's.
  return left === undefined ? [] : [{ type: 'done', step, reported: left }];
}

/** A full or read-only disk must not stop an undo: doing it again later only finds it done already. */
async function tryRecord(
  journal: RunJournal | undefined,
  records: readonly JournalRecord[],
  { durable }: { readonly durable: boolean },
): Promise<void> {
  try {
    await (durable ? journal?.record(...records) : journal?.note(...records));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

async function resumeIfWritable(state: StateDirectory, run: string): Promise<RunJournal | undefined> {
  try {
    return await RunJournal.resume(state, run);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
