import type { HostReader } from '../host/host.ts';
import { canonicalOrNull } from './compare.ts';
import type { Run, Step } from './journal.ts';
import { findInForce, findWaiting } from './rollback.ts';
import { readLiving } from './undo.ts';

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
}

/** What is in force, from the journal and one look at each changed place. Cheap: no planning, no commands for files. */
export async function readStatus(
  reader: HostReader,
  runs: readonly Run[],
  frame: { host: string; bootId: string | undefined },
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
    pendingReboot: await findPending(runs, frame.bootId),
    waiting: waiting && { run: waiting.run, until: waiting.confirmBy as string },
    cutOff: runs.filter((run) => run.result === undefined).map((run) => run.run),
  };
}

/** The newest step for each id that is in force in this boot. */
function stepsInForce(runs: readonly Run[], bootId: string | undefined): readonly Step[] {
  const newest = new Map<string, Step>();
  for (const run of runs.filter((each) => each.result === 'applied')) {
    for (const step of run.steps) {
      const lives = step.persistent || run.begin.bootId === bootId;
      if (step.status === 'done' && lives) newest.set(step.id, step);
      else newest.delete(step.id);
    }
  }
  return [...newest.values()];
}

async function findDrifted(reader: HostReader, steps: readonly Step[]): Promise<readonly Drift[]> {
  const drifted: Drift[] = [];
  for (const step of steps) {
    const reading = await readLiving(reader, step);
    // GRUB takes a one-time choice back when it follows it.
    if (step.tunable.kind === 'boot-once') continue;
    // A thread that ended took its affinity with it: nothing drifted.
    if (reading.status === 'missing' && step.tunable.kind === 'thread-affinity') continue;
    const left = step.reported ?? null;
    const found = reading.status === 'value' ? canonicalOrNull(step.tunable, reading.value) : null;
    if (reading.status === 'value' && found === canonicalOrNull(step.tunable, left)) continue;
    drifted.push({ id: step.id, left, found, evidence: reading.evidence });
  }
  return drifted;
}

/** Boot arguments staged in the boot that is still running. */
async function findPending(runs: readonly Run[], bootId: string | undefined): Promise<readonly string[]> {
  return runs
    .filter((run) => run.result === 'applied' && run.begin.bootId === bootId)
    .flatMap((run) => run.steps)
    .filter(
      (step) =>
        (step.tunable.kind === 'boot-arg' || step.tunable.kind === 'boot-entry') &&
        step.to !== null &&
        step.status === 'done',
    )
    .map((step) => step.id);
}
