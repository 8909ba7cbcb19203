import type { ApplyProgress } from '../../engine/apply.ts';
import type { Plan } from '../../engine/plan.ts';
import type { Controller } from '../keys/authorized.ts';
import { LIMITS } from '../protocol/limits.ts';
import { type AnswerBody, printAnswer, type Request } from '../protocol/message.ts';
import { RULES } from '../protocol/request.ts';
import type { Peer } from './agent-link.ts';

/** One request at work, and everybody who waits for its answer: whoever lost the connection asks again by its id. */
export class Work {
  readonly request: Request;
  readonly controller: Controller;
  /** When its turn came, ms of a clock that never goes back; undefined: it waits. */
  startedMs: number | undefined;
  readonly #peers = new Set<Peer>();
  readonly #ended = new AbortController();
  #decide: ((yes: boolean) => void) | undefined;
  #question: AnswerBody | undefined;
  #listening: AnswerBody | undefined;
  #attendedMs: number | undefined;
  #lookedMs = performance.now();
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(request: Request, controller: Controller) {
    this.request = request;
    this.controller = controller;
  }

  /** Aborted when its controller takes it back, or the agent ends. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  join(peer: Peer): void {
    this.#peers.add(peer);
    for (const body of [this.#question, this.#listening]) if (body !== undefined) peer.send(this.#print(body));
  }

  /** By whom it was asked for first. */
  get asker(): Peer | undefined {
    return [...this.#peers][0];
  }

  /** Ends what nobody waits for any more, after the time that it has. Looked at while it is at work. */
  endUnattended(nowMs: number): void {
    const { unattendedS } = RULES[this.request.question.ask];
    const isLate = performance.now() - this.#lookedMs > LIMITS.beatMs * 3;
    this.#lookedMs = performance.now();
    // This process had no CPU itself: what came meanwhile is not read yet.
    if (unattendedS === undefined || isLate) return;
    for (const peer of this.#peers) if (!peer.isThere()) this.#peers.delete(peer);
    if (this.#peers.size > 0 || this.#attendedMs === undefined) this.#attendedMs = nowMs;
    if (this.#peers.size === 0 && nowMs - this.#attendedMs >= unattendedS * 1_000) this.cancel();
  }

  /** A responder listens. */
  listens(port: number): void {
    this.#listening = { is: 'listening', port };
    this.tell(this.#listening);
  }

  tell(body: AnswerBody): void {
    const printed = this.#print(body);
    for (const peer of this.#peers) peer.send(printed);
  }

  #print(body: AnswerBody): Buffer {
    return printAnswer(this.request.id, body);
  }

  /** A few times a second: what is sent too fast is dropped, and the answer comes behind it. */
  progress(progress: ApplyProgress): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < LIMITS.progressMs) return;
    this.#toldMs = nowMs;
    this.tell({ is: 'progress', ...progress });
  }

  /** Asks whoever waits. Nobody's answer is no. */
  async ask(plan: Plan, end?: AbortSignal): Promise<boolean> {
    const late = AbortSignal.timeout(LIMITS.questionMs);
    const over = AbortSignal.any([late, this.signal, ...(end ? [end] : [])]);
    if (over.aborted) return false;
    this.#question = { is: 'question', plan };
    this.tell(this.#question);
    const answered = new Promise<boolean>((resolve) => {
      this.#decide = resolve;
      over.addEventListener('abort', () => resolve(false), { once: true });
    });
    const yes = await answered;
    this.#decide = undefined;
    this.#question = undefined;
    return yes;
  }

  /** False when nothing was asked. */
  decide(yes: boolean): boolean {
    this.#decide?.(yes);
    return this.#decide !== undefined;
  }

  cancel(): void {
    this.#ended.abort();
  }
}
