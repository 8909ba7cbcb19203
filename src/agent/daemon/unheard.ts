import type { AnswerBody } from '../protocol/message.ts';
import { RULES } from '../protocol/request.ts';
import type { Work } from './work.ts';

interface Kept {
  readonly id: string;
  readonly key: string;
  readonly body: AnswerBody;
}

const KEPT_MS = 60_000;

/**
 * The last answer that may have been lost with its connection, of what is not begun anew when it is asked for again: who attends it
 * again has it for a minute. One, since one is made at a time; in memory.
 */
export class UnheardAnswer {
  #kept: Kept | undefined;

  keep({ request: { id, question }, controller: { key } }: Work, body: AnswerBody): void {
    if (!RULES[question.ask].unattendedS) return;
    const kept = { id, key, body };
    this.#kept = kept;
    setTimeout(() => {
      if (this.#kept === kept) this.#kept = undefined;
    }, KEPT_MS).unref();
  }

  find(id: string, key: string): AnswerBody | undefined {
    return this.#kept?.id === id && this.#kept.key === key ? this.#kept.body : undefined;
  }
}
