import { ChainLog, type ChainPlace, followFiles } from '../chain/chain-log.ts';
import { HftError } from '../errors.ts';
import type { Lock, StateDirectory } from '../host/state-directory.ts';
import { countEvidence, type EvidenceCheck, type EvidenceKind } from '../ptp/evidence.ts';

/** A day of a sample each second is some 60 MB. Nothing is ever taken away: how long it is kept is for the law to say. */
const PLACE: ChainPlace = { folder: 'ptp', name: 'evidence', mostBytes: 16 * 1024 * 1024 };

/** The evidence log of this host, open for one writer. */
export class EvidenceLog {
  readonly #log: ChainLog;
  readonly #lock: Lock;

  private constructor(log: ChainLog, lock: Lock) {
    this.#log = log;
    this.#lock = lock;
  }

  /** Carries on where the log ends. Throws LockHeld when somebody writes it, HftError when its chain is broken. */
  static async open(state: StateDirectory): Promise<EvidenceLog> {
    const lock = await state.lock('hft verify ptp --evidence', PLACE.folder);
    try {
      const { problem } = await checkEvidence(state);
      if (problem !== undefined) throw new BrokenChain(state, problem);
      return new EvidenceLog(await ChainLog.open(state, PLACE), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Returns when the line is on disk. */
  async write(kind: EvidenceKind, data: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#log.write({ time: new Date().toISOString(), kind, ...data });
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }
}

/** Follows the chain of the log of this host from its first line to its last. */
export async function checkEvidence(state: StateDirectory): Promise<EvidenceCheck> {
  const { see, sum } = countEvidence();
  return sum(await followFiles(state, PLACE, see));
}

class BrokenChain extends HftError {
  constructor({ path }: StateDirectory, problem: string) {
    super(`${path}/${PLACE.folder}/${problem}: the evidence log cannot be carried on.`, {
      exitCode: 1,
      next: [
        `Keep ${path}/${PLACE.folder} as it is for whoever has to see it, move it away, and start again: a new log begins.`,
      ],
    });
  }
}
