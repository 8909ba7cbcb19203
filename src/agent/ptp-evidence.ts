import { HftError } from '../errors.ts';
import type { Lock, StateDirectory } from '../host/state-directory.ts';
import {
  type ChainCheck,
  type ChainEnd,
  type ChainFile,
  type EvidenceKind,
  followChain,
  START_OF_CHAIN,
  writeEvidence,
} from '../ptp/evidence.ts';

const FOLDER = 'ptp';
/** A day of a sample each second is some 60 MB. Nothing is ever taken away: how long it is kept is for the law to say. */
const MOST_BYTES = 16 * 1024 * 1024;

/** The evidence log of this host, open for one writer. */
export class EvidenceLog {
  readonly #state: StateDirectory;
  readonly #lock: Lock;
  #end: ChainEnd;
  #file: { readonly number: number; bytes: number };

  private constructor(state: StateDirectory, lock: Lock, at: { end: ChainEnd; number: number; bytes: number }) {
    this.#state = state;
    this.#lock = lock;
    this.#end = at.end;
    this.#file = { number: at.number, bytes: at.bytes };
  }

  /** Carries on where the log ends. Throws LockHeld when somebody writes it, HftError when its chain is broken. */
  static async open(state: StateDirectory): Promise<EvidenceLog> {
    const lock = await state.lock('hft verify ptp --evidence', FOLDER);
    try {
      const { check, last } = await followFiles(state);
      if (check.problem !== undefined) throw new BrokenChain(state, check.problem);
      const number = last === undefined ? 1 : numberOf(last.name) + Number(check.torn.includes(last.name));
      const bytes = last === undefined || check.torn.includes(last.name) ? 0 : Buffer.byteLength(last.text);
      return new EvidenceLog(state, lock, { end: check.end, number, bytes });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Returns when the line is on disk. */
  async write(kind: EvidenceKind, data: Readonly<Record<string, unknown>>): Promise<void> {
    const { line, end } = writeEvidence(this.#end, { time: new Date().toISOString(), kind, ...data });
    const bytes = Buffer.byteLength(line);
    if (this.#file.bytes > 0 && this.#file.bytes + bytes > MOST_BYTES)
      this.#file = { number: this.#file.number + 1, bytes: 0 };
    await this.#state.append(`${FOLDER}/${nameOf(this.#file.number)}`, line, true);
    this.#file.bytes += bytes;
    this.#end = end;
  }

  get end(): ChainEnd {
    return this.#end;
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }
}

/** Follows the chain of the log of this host from its first line to its last. */
export async function checkEvidence(state: StateDirectory): Promise<ChainCheck> {
  return (await followFiles(state)).check;
}

/** One file after the other: a log of years is never in memory. */
async function followFiles(state: StateDirectory): Promise<{ check: ChainCheck; last: ChainFile | undefined }> {
  const names = (await state.list(FOLDER)).filter((name) => NAME.test(name));
  names.sort((left, right) => numberOf(left) - numberOf(right));
  let check = START_OF_CHAIN;
  let last: ChainFile | undefined;
  for (const name of names) {
    last = { name, text: (await state.readText(`${FOLDER}/${name}`)) ?? '' };
    check = followChain(check, last);
    if (check.problem !== undefined) break;
  }
  return { check, last };
}

const NAME = /^evidence-(?<number>\d{6,})\.jsonl$/;

function nameOf(number: number): string {
  return `evidence-${String(number).padStart(6, '0')}.jsonl`;
}

function numberOf(name: string): number {
  return Number(NAME.exec(name)?.groups?.number);
}

class BrokenChain extends HftError {
  constructor({ path }: StateDirectory, problem: string) {
    super(`${path}/${FOLDER}/${problem}: the evidence log cannot be carried on.`, {
      exitCode: 1,
      next: [
        `Keep ${path}/${FOLDER} as it is for whoever has to see it, move it away, and start again: a new log begins.`,
      ],
    });
  }
}
