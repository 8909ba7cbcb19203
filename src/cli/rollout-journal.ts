import { randomBytes } from 'node:crypto';
import { HftError, UsageError } from '../errors.ts';
import type { AskedRequest, HostEnd, RolloutBegin, RolloutRecord } from '../fleet/rollout.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import type { Lock } from '../host/state-directory.ts';
import type { RolloutWish } from './rollout-host.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const FOLDER = 'rollouts';

/** Where whoever types keeps what a rollout came to: HFT_STATE_DIR, else /var/lib/hft for root, else ~/.local/state/hft. */
export function rolloutState(environment: Environment): LocalStateDirectory {
  const { HFT_STATE_DIR, XDG_STATE_HOME, HOME } = environment;
  const own = process.getuid?.() === 0 ? '/var/lib/hft' : `${XDG_STATE_HOME || `${HOME}/.local/state`}/hft`;
  return new LocalStateDirectory(HFT_STATE_DIR || own);
}

/** Sorts by time. */
export function nameRollout(now: Date): string {
  return `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}-${randomBytes(2).toString('hex')}`;
}

/** The record of one rollout, each line on disk before the next thing is done. Only one hft at a time has it. */
export class RolloutJournal {
  readonly #state: LocalStateDirectory;
  readonly #id: string;
  readonly #lock: Lock;

  private constructor(state: LocalStateDirectory, id: string, lock: Lock) {
    this.#state = state;
    this.#id = id;
    this.#lock = lock;
  }

  static async begin(state: LocalStateDirectory, begin: RolloutBegin<RolloutWish>): Promise<RolloutJournal> {
    const journal = new RolloutJournal(state, begin.id, await lockOf(state, begin.id));
    await journal.#append(begin);
    return journal;
  }

  /** Goes on with one; `last` is the newest. Throws UsageError when there is none, LockHeld when another hft has it. */
  static async resume(
    state: LocalStateDirectory,
    named: string,
  ): Promise<{ readonly journal: RolloutJournal; readonly records: readonly RolloutRecord<RolloutWish>[] }> {
    const known = (await state.list(FOLDER)).filter((name) => /^\d{8}T\d{6}-[0-9a-f]{4}$/.test(name));
    const id = named === 'last' ? known.at(-1) : known.find((name) => name === named);
    if (id === undefined) {
      const next = known.length === 0 ? `There is none in ${state.path}/${FOLDER}.` : `There are: ${known.join(', ')}.`;
      throw new UsageError(`--resume: there is no rollout ${named}.`, { next: [next] });
    }
    const lock = await lockOf(state, id);
    const text = (await state.readText(fileOf(id))) ?? '';
    // What comes next must not be added to half a line.
    if (text !== '' && !text.endsWith('\n')) await state.append(fileOf(id), '\n', true);
    const records = parseRecords(text);
    if (records[0]?.is === 'begin') return { journal: new RolloutJournal(state, id, lock), records };
    await lock.release();
    throw new HftError(`${state.path}/${fileOf(id)}: the record of this rollout has no beginning.`, {
      next: ['Nothing was done. Begin a new one: hosts that are as wanted are left as they are.'],
    });
  }

  asked(host: string, asked: AskedRequest): Promise<void> {
    return this.#append({ is: 'asked', host, time: new Date().toISOString(), ...asked });
  }

  ended(host: string, end: HostEnd): Promise<void> {
    return this.#append({ is: 'ended', host, time: new Date().toISOString(), ...end });
  }

  close(): Promise<void> {
    return this.#lock.release();
  }

  async #append(record: RolloutRecord<RolloutWish>): Promise<void> {
    await this.#state.append(fileOf(this.#id), `${JSON.stringify(record)}\n`, true);
  }
}

function lockOf(state: LocalStateDirectory, id: string): Promise<Lock> {
  return state.lock(`the rollout ${id}`, `${FOLDER}/${id}`);
}

function fileOf(id: string): string {
  return `${FOLDER}/${id}/record.jsonl`;
}

/** What a crash cut off was not followed by anything that it would have been written for. */
function parseRecords(text: string): readonly RolloutRecord<RolloutWish>[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as RolloutRecord<RolloutWish>];
    } catch {
      return [];
    }
  });
}
