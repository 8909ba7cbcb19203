import type { HostReader } from '../host/host.ts';
import { NOT_READ } from '../host/not-read.ts';
import type { LatencyVerdict } from '../latency/report/record.ts';
import { kindOf } from '../tunables/kinds.ts';
import { canonicalOrNull } from './compare.ts';
import { findHeld, isChanged } from './held.ts';
import { findInForce } from './in-force.ts';
import type { Run, Step } from './journal.ts';
import { findWaiting } from './rollback.ts';
import { holds, readLiving } from './undo.ts';

/** A setting that is not as hft left it. */
export interface Drift {
  readonly id: string;
  /** What the kernel reported when hft had set it. */
  readonly left: string | null;
  /** What is there now. */
  readonly found: string | null;
  readonly evidence: string;
}

export interface Status {
  readonly host: string;
  /** The profile in force, and since when (ISO 8601); undefined when nothing was tuned, or all was rolled back. */
  readonly profile: string | undefined;
  readonly since: string | undefined;
  readonly run: string | undefined;
  /** Changes in force by id, newest last. */
  readonly changes: readonly { readonly id: string; readonly from: string | null; readonly to: string | null }[];
  readonly drift: readonly Drift[];
  /** Arguments that the next boot gives and this one does not have. */
  readonly pendingReboot: readonly string[];
  readonly waiting: { readonly run: string; readonly until: string } | undefined;
  /** Runs that were cut off and not undone. */
  readonly cutOff: readonly string[];
  /** What runs left behind that could not be undone whole, as far as it is still there. */
  readonly notUndone: readonly NotUndone[];
  /** The last `hft verify latency`; undefined when there was none that could be kept. */
  readonly latency: LatencyVerdict | undefined;
}

/** A change of a run whose undo failed there. */
export interface NotUndone {
  readonly run: string;
  readonly id: string;
  /** What was there before the run. */
  readonly before: string | null;
  readonly found: string | null;
  readonly evidence: string;
}

/** What is in force, from the journal and one look at each changed place. Cheap: no planning, no commands for files. */
export async function readStatus(
  reader: HostReader,
  runs: readonly Run[],
  frame: { host: string; bootId: string | undefined; latency?: LatencyVerdict | undefined },
): Promise<Status> {
  const inForce = findInForce(runs);
  const waiting = findWaiting(runs);
  const steps = stepsInForce(runs, frame.bootId);
  return {
    host: frame.host,
    profile: inForce?.begin.wanted.name,
    since: inForce?.begin.time,
    run: inForce?.run,
    changes: steps.map(({ id, from, to }) => ({ id, from, to })),
    drift: await findDrifted(reader, steps),
    pendingReboot: await findPending(reader, runs, frame.bootId),
    waiting: waiting && { run: waiting.run, until: waiting.confirmBy as string },
    cutOff: runs.filter((run) => run.result === undefined).map((run) => run.run),
    notUndone: await findNotUndone(reader, runs, frame.bootId),
    latency: frame.latency,
  };
}

/** The newest step of each place that is in force in this boot, newest last; not what was given back meanwhile. */
function stepsInForce(runs: readonly Run[], bootId: string | undefined): readonly Step[] {
  const applied = runs.filter((run) => run.result === 'applied');
  const changed = findHeld(applied, bootId).filter(isChanged);
  return changed.map(({ changes }) => changes[0].step).reverse();
}

async function findDrifted(reader: HostReader, steps: readonly Step[]): Promise<readonly Drift[]> {
  const drifted: Drift[] = [];
  for (const step of steps) {
    const reading = await readLiving(reader, step);
    // GRUB takes a one-time choice back when it follows it.
    if (step.tunable.kind === 'boot-once') continue;
    // A thread that ended took what it was given with it: nothing drifted.
    if (reading.status === 'missing' && step.tunable.kind.startsWith('thread-')) continue;
    // Nobody looked, so nobody says that it drifted.
    if (reading.status === 'unreadable' && reading.code === NOT_READ) continue;
    const left = step.reported ?? null;
    const found = reading.status === 'value' ? canonicalOrNull(step.tunable, reading.value) : null;
    if (reading.status === 'value' && found === canonicalOrNull(step.tunable, left)) continue;
    drifted.push({ id: step.id, left, found, evidence: reading.evidence });
  }
  return drifted;
}

async function findNotUndone(
  reader: HostReader,
  runs: readonly Run[],
  bootId: string | undefined,
): Promise<readonly NotUndone[]> {
  const found: NotUndone[] = [];
  for (const run of runs.filter(({ result }) => result === 'partly-undone')) {
    const left = run.steps.filter(({ status }) => status === 'done' || status === 'intended');
    for (const step of left.filter(({ persistent }) => persistent || run.begin.bootId === bootId)) {
      const reading = await readLiving(reader, step);
      if (reading.status === 'missing' || holds(reading, step.tunable, step.from)) continue;
      const now = reading.status === 'value' ? canonicalOrNull(step.tunable, reading.value) : null;
      found.push({ run: run.run, id: step.id, before: step.from, found: now, evidence: reading.evidence });
    }
  }
  return found;
}

/** Kernel arguments that the next boot gives or takes away, and a trial boot that waits. */
async function findPending(
  reader: HostReader,
  runs: readonly Run[],
  bootId: string | undefined,
): Promise<readonly string[]> {
  const staged = findHeld(
    runs.filter((run) => run.result === 'applied'),
    bootId,
  ).map(({ changes }) => changes[0]);
  const pending: string[] = [];
  for (const { step } of staged.filter((change) => change.run.begin.bootId === bootId).reverse()) {
    if (await isPending(reader, step)) pending.push(step.id);
  }
  return pending;
}

async function isPending(reader: HostReader, { tunable, to, reported }: Step): Promise<boolean> {
  if (tunable.kind === 'boot-entry') return to !== null;
  if (tunable.kind !== 'boot-arg') return false;
  const now = await kindOf(tunable).read(reader, tunable);
  if (now.status !== 'value') return true;
  const left = canonicalOrNull(tunable, reported ?? null);
  return canonicalOrNull(tunable, now.notTaken ?? now.value) !== left;
}
