import { hashOf } from '../../chain/chain.ts';
import type { Wanted } from '../../engine/scope.ts';
import type { Log } from '../daemon/log.ts';
import type { Controller } from '../keys/authorized.ts';
import { printPublicKey } from '../keys/key-text.ts';
import type { AnswerBody, Request } from '../protocol/message.ts';
import type { Question } from '../protocol/request.ts';
import { type AuditKind, type AuditLog, isUnwritten } from './audit-log.ts';
import { LineBudget } from './line-budget.ts';
import { NotAudited } from './not-audited.ts';

export interface TrailSite {
  readonly log: Log;
  readonly nowMs: () => number;
}

/** A request and who asks. */
export interface Asking {
  readonly request: Request;
  readonly controller: Controller;
}

/** The profile that a request puts into effect: it is not in the request, which names a plan. */
export interface AskedPlan {
  readonly wanted: Wanted;
  readonly settings: number;
}

export interface RefusedFacts {
  /** undefined: nobody who is authorised. */
  readonly by: Controller | undefined;
  readonly what: string;
  readonly [fact: string]: unknown;
}

/** A request is told whole up to that, else by its hash. */
const MOST_REQUEST_BYTES = 8 * 1024;

/** What the agent was asked to change and what came of it, what it refused, and what it did by itself. */
export class AuditTrail {
  readonly #log: AuditLog;
  readonly #site: TrailSite;
  readonly #refusals = new LineBudget();
  /** What was done and could not be told, since the disk was full: told before anything else is done. */
  #untold: { readonly kind: AuditKind; readonly facts: Readonly<Record<string, unknown>> }[] = [];

  constructor(log: AuditLog, site: TrailSite) {
    this.#log = log;
    this.#site = site;
  }

  get end() {
    return this.#log.end;
  }

  /** Begins it, does it, and tells what came of it. Throws NotAudited, and nothing was done; else what `act` throws. */
  async around(asking: Asking, plan: AskedPlan | undefined, act: () => Promise<AnswerBody>): Promise<AnswerBody> {
    const { request, controller } = asking;
    const { ask } = request.question;
    const by = describe(controller);
    await this.mustTell('asked', {
      id: request.id,
      by,
      ask,
      request: sized(request.question),
      ...(plan && { plan: told(plan) }),
    });
    try {
      const answer = await act();
      await this.tell('answered', { id: request.id, by: by.name, ask, ...outcomeOf(answer) });
      return answer;
    } catch (error) {
      await this.tell('answered', {
        id: request.id,
        by: by.name,
        ask,
        outcome: 'error',
        error: { message: String(error) },
      });
      throw error;
    }
  }

  /** Returns at once: who is refused is not kept waiting for the disk. */
  refused({ by, ...facts }: RefusedFacts): void {
    const untold = this.#refusals.take(by?.key ?? '', this.#site.nowMs());
    if (untold === undefined) return;
    void this.tell('refused', {
      by: by === undefined ? null : describe(by),
      ...facts,
      ...(untold > 0 && { notTold: untold }),
    });
  }

  /** On disk, with all that could not be told before. Throws NotAudited. */
  async mustTell(kind: AuditKind, facts: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      await this.#tellUntold();
      await this.#write(kind, facts);
    } catch (error) {
      if (!isUnwritten(error)) throw error;
      throw new NotAudited(error);
    }
  }

  /** Of what is done already: what cannot be told now is told later. Never throws for a disk. */
  async tell(kind: AuditKind, facts: Readonly<Record<string, unknown>>): Promise<void> {
    try {
      await this.mustTell(kind, facts);
    } catch (error) {
      if (!(error instanceof NotAudited)) throw error;
      // What was refused, or was not begun, can be left out; what was done cannot.
      if (DONE.includes(kind)) this.#untold.push({ kind, facts: { ...facts, toldLate: true } });
      this.#site.log('not-audited', { kind, reason: error.message });
    }
  }

  /** How the log was found, and what an agent before this one left without an outcome. */
  async started(facts: Readonly<Record<string, unknown>>): Promise<void> {
    const { cutTail } = this.#log;
    await this.tell('start', { ...facts, ...(cutTail && { cut: cutTail }) });
    if (cutTail) this.#site.log('audit-cut', { ...cutTail });
  }

  async close(facts: Readonly<Record<string, unknown>>): Promise<void> {
    await this.tell('stop', facts);
    await this.#log.close();
  }

  /** Nothing was begun. */
  async release(): Promise<void> {
    await this.#log.close();
  }

  async #tellUntold(): Promise<void> {
    while (this.#untold[0] !== undefined) {
      const { kind, facts } = this.#untold[0];
      await this.#write(kind, facts);
      this.#untold = this.#untold.slice(1);
    }
  }

  /** The log of the service has the end of each line: it is kept elsewhere than the audit log. */
  async #write(kind: AuditKind, facts: Readonly<Record<string, unknown>>): Promise<void> {
    const { seq, hash } = await this.#log.write(kind, facts);
    this.#site.log('audited', { kind, seq, hash });
  }
}

/** Something was changed by then. At most one of each request that is at work. */
const DONE: readonly AuditKind[] = ['answered', 'healed', 'not-healed'];

function describe({ name, role, key }: Controller) {
  return { name, role, key: printPublicKey(key) };
}

function sized(question: Question): unknown {
  const text = JSON.stringify(question);
  return text.length <= MOST_REQUEST_BYTES ? question : { sha256: hashOf(text), bytes: text.length };
}

/** The same profile has the same hash, whatever file it came from. */
function told({ wanted, settings }: AskedPlan) {
  return { profile: wanted.name, sha256: hashOf(JSON.stringify(wanted)), settings };
}

/** What came of it, and the runs of the journal that have the changes. */
function outcomeOf(answer: AnswerBody): Readonly<Record<string, unknown>> {
  if (answer.is === 'error') {
    const { kind, message, exitCode } = answer.error;
    return { outcome: 'error', error: { kind, message, exitCode } };
  }
  if (answer.is !== 'result') return { outcome: answer.is };
  const result = answer.result as
    | { result?: unknown; run?: unknown; reports?: readonly { run?: unknown }[]; complete?: unknown }
    | string
    | null;
  if (typeof result === 'string') return { outcome: 'done', result };
  if (Array.isArray(result?.reports))
    return { outcome: result.complete === true ? 'done' : 'not complete', runs: result.reports.map(({ run }) => run) };
  if (typeof result?.run === 'string') return { outcome: result.result, runs: [result.run] };
  return { outcome: 'done' };
}
