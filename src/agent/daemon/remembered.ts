import { createHash } from 'node:crypto';
import type { StateDirectory } from '../../host/state-directory.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { AnswerBody } from '../protocol/message.ts';
import type { Question } from '../protocol/request.ts';
import { Refused } from './refused.ts';
import type { Work } from './work.ts';

const FOLDER = 'agent/requests';

/** A request that changes something, as it is kept by its id. */
interface Kept {
  readonly id: string;
  readonly time: string;
  /** Of who asked and what: the same id for something else is a mistake. */
  readonly digest: string;
  readonly by: string;
  readonly ask: string;
  /** undefined: begun, and not ended when this was written. */
  readonly answer?: AnswerBody;
}

export type Found =
  | { readonly is: 'new' }
  | { readonly is: 'answered'; readonly answer: AnswerBody }
  /** The agent was ended in the middle of it. */
  | { readonly is: 'cut-off' }
  | { readonly is: 'another' };

export interface Asked {
  readonly id: string;
  readonly key: string;
  readonly by: string;
  readonly question: Question;
}

/** Answers of requests that change something, on disk: asked again, also after a restart, nothing is done twice. */
export class RememberedAnswers {
  readonly #state: StateDirectory;
  /** Oldest first. */
  readonly #digests = new Map<string, string>();

  private constructor(state: StateDirectory) {
    this.#state = state;
  }

  static async open(state: StateDirectory): Promise<RememberedAnswers> {
    const remembered = new RememberedAnswers(state);
    const kept: Kept[] = [];
    for (const name of await state.list(FOLDER)) {
      const one = parse(await state.readText(`${FOLDER}/${name}`));
      if (one !== undefined) kept.push(one);
    }
    kept.sort((left, right) => (left.time < right.time ? -1 : 1));
    for (const { id, digest } of kept) remembered.#digests.set(id, digest);
    return remembered;
  }

  async find(asked: Asked): Promise<Found> {
    const digest = this.#digests.get(asked.id);
    if (digest === undefined) return { is: 'new' };
    if (digest !== digestOf(asked)) return { is: 'another' };
    const kept = parse(await this.#state.readText(fileOf(asked.id)));
    return kept?.answer === undefined ? { is: 'cut-off' } : { is: 'answered', answer: kept.answer };
  }

  /** On disk before anything is done. */
  async begin(asked: Asked, now: Date): Promise<void> {
    await this.#write(asked, now, undefined);
    for (const id of this.#digests.keys()) {
      if (this.#digests.size <= LIMITS.remembered) break;
      this.#digests.delete(id);
      await this.#state.remove(fileOf(id));
    }
  }

  /** On disk before it is sent. */
  async end(asked: Asked, now: Date, answer: AnswerBody): Promise<void> {
    await this.#write(asked, now, answer);
  }

  async #write(asked: Asked, now: Date, answer: AnswerBody | undefined): Promise<void> {
    const { id, by, question } = asked;
    const digest = digestOf(asked);
    const kept: Kept = { id, time: now.toISOString(), digest, by, ask: question.ask, ...(answer && { answer }) };
    await this.#state.replace(fileOf(id), `${JSON.stringify(kept)}\n`);
    this.#digests.set(id, digest);
  }
}

interface Answering {
  /** Does it. Never throws. */
  readonly attempt: () => Promise<AnswerBody>;
  /** Writes down that it is begun, and how it ended. Throws where it cannot be written, before anything is done. */
  readonly audited: (act: () => Promise<AnswerBody>) => Promise<AnswerBody>;
  readonly now: () => Date;
}

/** What changes something is begun on disk, done, and ended on disk. Throws Refused where it was begun before, and not ended. */
export async function answerOnce(
  { request, controller }: Pick<Work, 'request' | 'controller'>,
  remembered: RememberedAnswers,
  { attempt, audited, now }: Answering,
): Promise<AnswerBody> {
  const asked = { ...request, key: controller.key, by: controller.name };
  const found = await remembered.find(asked);
  if (found.is === 'answered') return found.answer;
  if (found.is === 'another') throw new Refused('Another request has this id.', []);
  if (found.is === 'cut-off')
    throw new Refused('The agent was ended in the middle of this request.', [
      '`hft status --host` shows what is in force; what was cut off is undone by the next `hft tune` or `hft rollback`.',
    ]);
  return audited(async () => {
    await remembered.begin(asked, now());
    const answer = await attempt();
    await remembered.end(asked, now(), answer);
    return answer;
  });
}

/** `id` is a UUID: it cannot lead out of the folder. */
function fileOf(id: string): string {
  return `${FOLDER}/${id}.json`;
}

function digestOf({ key, question }: Asked): string {
  return createHash('sha256')
    .update(JSON.stringify([key, question]))
    .digest('hex');
}

/** undefined for what somebody else wrote there. */
function parse(text: string | undefined): Kept | undefined {
  try {
    const kept = JSON.parse(text ?? '') as Partial<Kept>;
    const isKept = [kept.id, kept.time, kept.digest].every((field) => typeof field === 'string');
    return isKept ? (kept as Kept) : undefined;
  } catch {
    return undefined;
  }
}
