import { HftError } from '../errors.ts';
import type { ProcessIdentity } from '../host/process-identity.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import type { Tunable } from '../tunables/tunable.ts';
import type { Disruption, Stage } from '../tuning/domain.ts';
import type { Scope, Wanted } from './scope.ts';
import type { SessionFacts } from './session.ts';

/**
 * The write-ahead journal: one file of JSON lines per run below `journal/`. An intent is on disk before its write;
 * `done` holds what the kernel reported after it. From this alone every change can be undone, whenever hft died.
 */
export type JournalRecord =
  | {
      readonly type: 'begin';
      readonly run: string;
      /** ISO 8601 */
      readonly time: string;
      readonly host: string;
      readonly bootId: string | undefined;
      /** user: somebody asked for a profile. boot: the one in force was put back after a reboot. adopt: somebody asked for a process.
       *  heal: the agent set again what had drifted. */
      readonly origin: 'user' | 'boot' | 'adopt' | 'heal';
      readonly adopted?: Adopted;
      readonly wanted: Wanted;
      /** The domains that the run was about; without it all of the profile. */
      readonly scope?: Pick<Scope, 'only' | 'skip' | 'onlyIds'>;
      readonly version: string;
    }
  | {
      readonly type: 'intent';
      readonly step: number;
      readonly id: string;
      readonly tunable: Tunable;
      readonly from: string | null;
      readonly to: string | null;
      readonly persistent: boolean;
      /** As the setting had them: a later run that takes the change back makes it in the same stage, and disturbs the
       *  same link. */
      readonly stage?: Stage;
      readonly disruption?: Disruption;
      readonly interface?: string;
      /** The id of the change that this place was moved for, being a bystander of it. */
      readonly beside?: string;
    }
  | { readonly type: 'done'; readonly step: number; readonly reported: string | null }
  /** Nothing of ours is there: it was never written, or taken back at once. `code`: the errno of what refused it. */
  | { readonly type: 'skipped'; readonly step: number; readonly reason: string; readonly code?: string }
  /** From this run on the place is not hft's any more: somebody else changed it, and the profile has no wish for it. */
  | { readonly type: 'released'; readonly id: string; readonly tunable: Tunable; readonly found: string | null }
  | { readonly type: 'undone'; readonly step: number }
  /** Left as somebody else changed it. */
  | { readonly type: 'kept'; readonly step: number; readonly found: string | null }
  /** The run is taken back by the host itself unless it is confirmed by then (ISO 8601), or, where a session is given, the
   *  host is seen to be as reachable as it was before. With an owner also when that process has died. */
  | {
      readonly type: 'confirm-by';
      readonly time: string;
      readonly session?: SessionFacts;
      readonly owner?: ProcessIdentity;
    }
  /** The guard that would take the run back is at work. */
  | { readonly type: 'watched' }
  | { readonly type: 'confirmed' }
  /** The line before this one was cut off by a power cut or a full disk. */
  | { readonly type: 'torn' }
  | { readonly type: 'end'; readonly result: 'applied' | 'undone' | 'partly-undone' };

/** A process that somebody else started and that hft placed. */
export interface Adopted {
  readonly name: string;
  readonly pid: number;
  /** Of proc_pid_stat(5): with the pid no other process. */
  readonly startTicks: string;
  /** A PlacedProcess of src/launch, as it was decided. */
  readonly placed: unknown;
}

/** One change of a run, as far as the journal knows. */
export interface Step {
  readonly step: number;
  readonly id: string;
  readonly tunable: Tunable;
  readonly from: string | null;
  readonly to: string | null;
  readonly persistent: boolean;
  readonly status: 'intended' | 'done' | 'skipped' | 'undone' | 'kept';
  /** What the kernel reported after our write; undefined before `done`. */
  readonly reported: string | null | undefined;
  /** Why it was skipped. */
  readonly reason?: string;
  readonly code?: string;
  readonly stage?: Stage;
  readonly disruption?: Disruption;
  readonly interface?: string;
  readonly beside?: string;
}

/** A run, as its journal tells it. */
export interface Run {
  readonly run: string;
  readonly begin: Extract<JournalRecord, { type: 'begin' }>;
  readonly steps: readonly Step[];
  /** Places of earlier runs that this one left to who changed them since. */
  readonly released: readonly { readonly id: string; readonly tunable: Tunable }[];
  readonly confirmBy: string | undefined;
  /** How the host could be reached before the run; with confirmBy, where the run can cut that. */
  readonly session: SessionFacts | undefined;
  /** Who alone will confirm it. */
  readonly owner: ProcessIdentity | undefined;
  readonly watched: boolean;
  readonly confirmed: boolean;
  /** undefined: the run is going on or was cut off. */
  readonly result: 'applied' | 'undone' | 'partly-undone' | undefined;
}

const FOLDER = 'journal';

/** The runs in the journal, oldest first. A file without a whole `begin` line is a run that never wrote anything. */
export async function readRuns(state: StateDirectory): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (const name of await state.list(FOLDER)) {
    if (!name.endsWith('.jsonl')) continue;
    const run = parseRun(name, (await state.readText(`${FOLDER}/${name}`)) ?? '');
    if (run) runs.push(run);
  }
  return runs;
}

/** One run, without a look at the others; undefined: there is no such run. */
export async function readRun(state: StateDirectory, run: string): Promise<Run | undefined> {
  const name = `${run}.jsonl`;
  const text = await state.readText(`${FOLDER}/${name}`);
  return text === undefined ? undefined : parseRun(name, text);
}

/** Appends to one run's file. Returns when the record is on disk, or handed to the kernel when `durable` is false. */
export class RunJournal {
  readonly run: string;
  private readonly state: StateDirectory;

  constructor(state: StateDirectory, run: string) {
    this.state = state;
    this.run = run;
  }

  /** Opens the journal of a run that was cut off: ends a torn last line, so that the next record stands alone. */
  static async resume(state: StateDirectory, run: string): Promise<RunJournal> {
    const text = (await state.readText(`${FOLDER}/${run}.jsonl`)) ?? '';
    if (text !== '' && !text.endsWith('\n')) await state.append(`${FOLDER}/${run}.jsonl`, '\n{"type":"torn"}\n', true);
    return new RunJournal(state, run);
  }

  /** Synced: outlives a power cut. */
  async record(...records: readonly JournalRecord[]): Promise<void> {
    await this.append(records, true);
  }

  /** Handed to the kernel: outlives the death of hft, not a power cut. Enough for what itself ends with the power. */
  async note(...records: readonly JournalRecord[]): Promise<void> {
    await this.append(records, false);
  }

  private async append(records: readonly JournalRecord[], durable: boolean): Promise<void> {
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    await this.state.append(`${FOLDER}/${this.run}.jsonl`, text, durable);
  }
}

/** Deletes a run's file: for boot-time runs of earlier boots that hold nothing to undo any more. */
export async function forgetRun(state: StateDirectory, run: string): Promise<void> {
  await state.remove(`${FOLDER}/${run}.jsonl`);
}

/** What a journal file says. A torn last line (power cut in an append) is as if it had never been written. */
export function parseRun(name: string, text: string): Run | undefined {
  const records = parseLines(name, text);
  const begin = records[0];
  if (begin === undefined) return undefined;
  if (begin.type !== 'begin') throw new JournalDamaged(name, 1, 'the first line is not the begin of a run');
  const steps = new Map<number, Step>();
  let run: Run = {
    run: begin.run,
    begin,
    steps: [],
    released: [],
    confirmBy: undefined,
    session: undefined,
    owner: undefined,
    watched: false,
    confirmed: false,
    result: undefined,
  };
  for (const [index, record] of records.entries()) {
    if (record.type === 'intent') steps.set(record.step, { ...stepOf(record) });
    else if ('step' in record)
      steps.set(record.step, advance(steps.get(record.step), record, { name, line: index + 1 }));
    else if (record.type === 'released') run = { ...run, released: [...run.released, record] };
    else if (record.type === 'confirm-by')
      run = { ...run, confirmBy: record.time, session: record.session, owner: record.owner, confirmed: false };
    else if (record.type === 'watched') run = { ...run, watched: true };
    else if (record.type === 'confirmed') run = { ...run, confirmed: true };
    else if (record.type === 'end') run = { ...run, result: record.result };
  }
  return { ...run, steps: [...steps.values()].sort((left, right) => left.step - right.step) };
}

function stepOf(record: Extract<JournalRecord, { type: 'intent' }>): Step {
  const { type: _, ...step } = record;
  return { ...step, status: 'intended', reported: undefined };
}

type StepRecord = Extract<JournalRecord, { step: number }>;

function advance(step: Step | undefined, record: StepRecord, where: { name: string; line: number }): Step {
  if (!step) throw new JournalDamaged(where.name, where.line, `step ${record.step} has no intent`);
  switch (record.type) {
    case 'done':
      return { ...step, status: 'done', reported: record.reported };
    case 'skipped':
      return {
        ...step,
        status: 'skipped',
        reason: record.reason,
        ...(record.code !== undefined && { code: record.code }),
      };
    case 'undone':
    case 'kept':
      return { ...step, status: record.type };
    case 'intent':
      return step;
  }
}

/** A torn line is ignored where a tear can be: at the very end, or before the `torn` mark that a recovery put there. */
function parseLines(name: string, text: string): JournalRecord[] {
  const lines = text.split('\n');
  const unfinished = lines.pop() !== '';
  const records: JournalRecord[] = [];
  for (const [index, line] of lines.entries()) {
    const record = parseLine(line);
    const isLast = index === lines.length - 1 && !unfinished;
    const isTorn = isLast || parseLine(lines[index + 1] ?? '')?.type === 'torn';
    if (record) records.push(record);
    else if (!isTorn) throw new JournalDamaged(name, index + 1, 'the line is not JSON');
  }
  return records;
}

function parseLine(line: string): JournalRecord | undefined {
  try {
    return JSON.parse(line) as JournalRecord;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A journal that was edited or that the disk damaged: nothing is undone by guessing. */
export class JournalDamaged extends HftError {
  constructor(name: string, line: number, what: string) {
    super(`journal/${name}:${line}: ${what}`, {
      exitCode: 4,
      next: ['Nothing was changed. Restore the file from a backup, or move it away to go on without this run.'],
    });
  }
}
