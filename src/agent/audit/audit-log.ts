import type { ChainEnd, ChainRecord } from '../../chain/chain.ts';
import { ChainLog, type ChainPlace } from '../../chain/chain-log.ts';
import { HostError } from '../../errors.ts';
import type { Lock, StateDirectory } from '../../host/state-directory.ts';

const SECRET_MODE = 0o600;

/** A file is small: the last one is read whole when the agent starts. */
export const AUDIT_PLACE: ChainPlace = {
  folder: 'agent/audit',
  name: 'audit',
  mostBytes: 1024 * 1024,
  mode: SECRET_MODE,
};

/** Beside the folder of the log: who takes lines off its end has to change this file too. */
export const HEAD_FILE = 'agent/audit-head.json';

export type AuditKind =
  | 'start'
  | 'stop'
  | 'reload'
  | 'asked'
  | 'answered'
  | 'refused'
  | 'drift'
  | 'drift-ended'
  | 'heal'
  | 'healed'
  | 'not-healed';

/** Where the log was found not to end where it ended when its last line was written. */
export interface CutTail {
  readonly expected: ChainEnd;
  readonly got: ChainEnd;
}

/** The audit log of this host's agent, open for one writer: each line on disk before what it tells of is done. */
export class AuditLog {
  readonly #state: StateDirectory;
  readonly #log: ChainLog;
  readonly #lock: Lock;
  readonly #now: () => Date;
  #writing: Promise<void> = Promise.resolve();
  /** Lines were cut off its end while no agent ran. */
  readonly cutTail: CutTail | undefined;

  private constructor(
    opened: { state: StateDirectory; log: ChainLog; lock: Lock; head: ChainEnd | undefined },
    now: () => Date,
  ) {
    const { state, log, lock, head } = opened;
    this.#state = state;
    this.#log = log;
    this.#lock = lock;
    this.#now = now;
    this.cutTail = head === undefined ? undefined : findCut(head, log.end);
  }

  /** Throws LockHeld when another agent writes it, HostError when it cannot be read. */
  static async open(state: StateDirectory, now: () => Date): Promise<AuditLog> {
    const lock = await state.lock('hft agent run', AUDIT_PLACE.folder);
    try {
      const log = await ChainLog.open(state, AUDIT_PLACE);
      return new AuditLog({ state, log, lock, head: await readHead(state) }, now);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get end(): ChainEnd {
    return this.#log.end;
  }

  /** One line after the other. Returns its end of the log when it is on disk; throws HostError when it is not. */
  async write(kind: AuditKind, facts: Readonly<Record<string, unknown>>): Promise<ChainEnd> {
    const before = this.#writing;
    const written = before.then(() => this.#append({ time: this.#now().toISOString(), kind, ...facts }));
    this.#writing = written.then(
      () => {},
      () => {},
    );
    return written;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#lock.release();
  }

  /** The head comes after its line: killed in between, the log has one line more than the head says, which is no cut. */
  async #append(record: ChainRecord): Promise<ChainEnd> {
    await this.#log.write(record);
    const { end } = this.#log;
    await this.#state.replace(HEAD_FILE, `${JSON.stringify(end)}\n`, SECRET_MODE);
    return end;
  }
}

/** undefined: there is none, or it says nothing. */
export async function readHead(state: StateDirectory): Promise<ChainEnd | undefined> {
  const text = await state.readText(HEAD_FILE);
  try {
    const { seq, hash } = JSON.parse(text ?? '{}') as Partial<ChainEnd>;
    return typeof seq === 'number' && typeof hash === 'string' ? { seq, hash } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The last line that the head knows is there, or the one after it. */
function findCut(head: ChainEnd, end: ChainEnd): CutTail | undefined {
  const isThere = end.seq > head.seq || (end.seq === head.seq && end.hash === head.hash);
  return isThere ? undefined : { expected: head, got: end };
}

/** Whether the line could not be written, so that what it was to tell of must not be done. */
export function isUnwritten(error: unknown): error is HostError {
  return error instanceof HostError;
}
