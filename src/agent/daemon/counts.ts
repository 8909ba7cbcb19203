import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Controller } from '../keys/authorized.ts';
import type { Counters } from '../protocol/results.ts';
import type { Log } from './log.ts';

const LOGGED_EACH = 64;

/** How many requests were answered, and what was not answered and why. */
export class Counts {
  readonly #log: Log;
  readonly #audit: AuditTrail;
  readonly #counters = { answered: 0, refused: 0, malformed: 0, unknownKeys: 0, limited: 0 };

  constructor(log: Log, audit: AuditTrail) {
    this.#log = log;
    this.#audit = audit;
  }

  get counters(): Counters {
    return { ...this.#counters };
  }

  answered(): void {
    this.#counters.answered++;
  }

  /** Each is logged, but for a flood: then every power of two. Who sent what is no message is not known. */
  add(
    what: Exclude<keyof Counters, 'answered'>,
    facts: Readonly<Record<string, unknown>>,
    controller?: Controller,
  ): void {
    const count = ++this.#counters[what];
    const by = controller && { by: controller.name };
    if (count < LOGGED_EACH || Number.isInteger(Math.log2(count))) this.#log(what, { count, ...by, ...facts });
    if (what !== 'malformed') this.#audit.refused({ what, ...facts, by: controller });
  }
}
