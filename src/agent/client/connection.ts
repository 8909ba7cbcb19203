import { randomUUID } from 'node:crypto';
import type { Context, Dealer } from 'zeromq';
import type { HftError } from '../../errors.ts';
import { type AgentAddress, printAddress } from '../keys/agent-address.ts';
import { type KeyPair, printPublicKey } from '../keys/key-text.ts';
import { type Seal, sealBetween } from '../keys/seal.ts';
import { LIMITS } from '../protocol/limits.ts';
import { printRequest, type ReadAnswer, readAnswer } from '../protocol/message.ts';
import { type Ask, PROTOCOL, type Question, RULES } from '../protocol/request.ts';
import { RESULTS, type ResultOf } from '../protocol/results.ts';
import {
  fromSentError,
  KeyRefused,
  NoAnswer,
  NotAttended,
  OtherProtocol,
  UnknownAgent,
  Unreachable,
  WrongServerKey,
} from './failures.ts';
import { link } from './link.ts';
import { plainText, withPlainTexts } from './plain-text.ts';

export interface ConnectionSite {
  readonly address: AgentAddress;
  /** The pair of this controller. */
  readonly keys: KeyPair;
  /** What is pinned for the agent; two while its key is changed. */
  readonly pinned: readonly string[];
  /** Where that is written. */
  readonly knownFile: string;
  readonly connectWithinMs?: number;
  /** An agent that is at work says so more often than that. */
  readonly silentMs?: number;
  /** How long an agent that went away is waited for. */
  readonly reconnectWithinMs?: number;
}

type QuestionOf<Kind extends Ask> = Extract<Question, { ask: Kind }>;

export interface Waiting {
  /** Shows a plan and asks; the answer goes back. */
  readonly onQuestion?: (plan: unknown) => Promise<boolean>;
  readonly onProgress?: (progress: { readonly done: number; readonly of: number; readonly what: string }) => void;
  /** A responder listens there now, on this port. */
  readonly onListening?: (port: number) => void;
  /** Takes the request back: what was done is undone, and the answer says so. */
  readonly signal?: AbortSignal | undefined;
  /** The id to ask again by. */
  readonly id?: string;
}

const CONNECT_WITHIN_MS = 5_000;
const SILENT_MS = 20_000;
/** A request is asked for again so often, by its id, after the connection was lost. */
const MOST_ATTEMPTS = 3;
/** An agent that was killed is started again within a second or two. */
const RECONNECT_WITHIN_MS = 10_000;
const RECONNECT_PERIOD_MS = 250;

/** The connection to one agent. Whoever opens it closes it. */
export class AgentConnection {
  readonly #site: ConnectionSite;
  readonly #context: Context;
  readonly #host: string;
  #socket: Dealer;
  #seal: Seal;
  #isClosed = false;
  /** Rejects when the connection is lost. */
  #lost: Promise<never> = new Promise(() => {});

  private constructor(site: ConnectionSite, context: Context, opened: { socket: Dealer; seal: Seal }) {
    this.#site = site;
    this.#context = context;
    this.#host = printAddress(site.address);
    this.#socket = opened.socket;
    this.#seal = opened.seal;
    this.#take(opened);
  }

  /** Throws one of the errors of failures.ts; then nothing was asked. */
  static async open(site: ConnectionSite): Promise<AgentConnection> {
    if (site.pinned.length === 0) throw new UnknownAgent(printAddress(site.address), site.knownFile);
    const { Context } = await import('zeromq');
    // At the end nothing is waited for, and nothing said of it: what was asked is answered by then, or given up.
    const context = new Context({ blocky: false });
    return new AgentConnection(site, context, await openSocket(site, context));
  }

  get host(): string {
    return this.#host;
  }

  /** Until it is answered. Throws HftError of the agent, or of failures.ts. */
  async ask<Kind extends Ask>(question: QuestionOf<Kind>, waiting: Waiting = {}): Promise<ResultOf<Kind>> {
    const { unattendedS } = RULES[question.ask];
    const id = waiting.id ?? randomUUID();
    for (let attempt = 1; ; attempt++) {
      // What ends when nobody waits for it is waited for again, and not begun anew.
      const sent: Question = attempt > 1 && unattendedS !== undefined ? { ask: 'attend' } : question;
      try {
        return await this.#askOnce(question, { ...waiting, id }, sent);
      } catch (error) {
        if (!(error instanceof Silence)) throw error;
        // It went with the connection.
        const isOver = attempt === MOST_ATTEMPTS || this.#isClosed || unattendedS === 0;
        if (isOver) throw this.#gone(question.ask, error.message);
        await this.#reopen(error, question.ask);
      }
    }
  }

  #gone(ask: Ask, reason: string): HftError {
    const { writes, unattendedS } = RULES[ask];
    if (unattendedS !== undefined) return new NotAttended(this.#host, reason, unattendedS);
    return new NoAnswer(this.#host, reason, writes);
  }

  /** What is still asked is answered to nobody. */
  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  /** The same id: what was done is not done again. */
  async #reopen(cause: Silence, ask: Ask): Promise<void> {
    this.#socket.close();
    const untilMs = performance.now() + (this.#site.reconnectWithinMs ?? RECONNECT_WITHIN_MS);
    for (;;) {
      try {
        this.#take(await openSocket(this.#site, this.#context));
        return;
      } catch {
        if (performance.now() > untilMs) throw this.#gone(ask, cause.message);
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_PERIOD_MS));
    }
  }

  #take({ socket, seal }: { readonly socket: Dealer; readonly seal: Seal }): void {
    this.#socket = socket;
    this.#seal = seal;
    this.#lost = new Promise((_, reject) => {
      socket.events.on('disconnect', () => reject(new Silence('the connection was lost')));
    });
    // Whoever waits hears of it; else nobody has to.
    this.#lost.catch(() => {});
  }

  async #askOnce<Kind extends Ask>(
    question: QuestionOf<Kind>,
    waiting: Waiting & { readonly id: string },
    sent: Question,
  ): Promise<ResultOf<Kind>> {
    const { id, signal } = waiting;
    await this.#send(id, sent);
    const cancel = () => void this.#tell({ ask: 'cancel', to: id });
    signal?.addEventListener('abort', cancel);
    // It was taken back while the connection was down, or before it was sent.
    if (signal?.aborted && RULES[question.ask].unattendedS !== undefined) cancel();
    try {
      const result = await this.#await(question.ask, waiting);
      const read = RESULTS[question.ask].safeParse(result);
      if (read.success) return read.data as ResultOf<Kind>;
      const where = read.error.issues[0]?.path.join('.');
      throw new NoAnswer(
        this.#host,
        `the agent's answer to \`${question.ask}\` is not what it should be (${where})`,
        RULES[question.ask].writes,
      );
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  async #await(ask: Ask, waiting: Waiting & { readonly id: string }): Promise<unknown> {
    const { writes, withinS } = RULES[ask];
    const untilMs = performance.now() + withinS * 1_000;
    let bytes = 0;
    let deciding: Promise<Decision> | undefined;
    for (;;) {
      const frames = await this.#receive();
      if (performance.now() > untilMs) throw new NoAnswer(this.#host, `no result within ${withinS} s`, writes);
      bytes += frames.reduce((sum, frame) => sum + frame.length, 0);
      if (bytes > LIMITS.eventsBytes) throw new NoAnswer(this.#host, 'the agent sends without an end', writes);
      const [frame] = frames;
      const read: ReadAnswer = frames.length === 1 && frame ? readAnswer(frame) : { is: 'malformed' };
      if (read.is === 'malformed')
        throw new NoAnswer(this.#host, 'the agent answered something that is no answer', writes);
      if (read.id !== waiting.id) continue;
      if (read.is === 'foreign') throw new OtherProtocol(this.#host, { theirs: read.version, ours: PROTOCOL });
      const { body } = read;
      const decision = body.is === 'result' || body.is === 'error' ? await deciding : undefined;
      if (decision !== undefined && 'failure' in decision) throw decision.failure;
      if (body.is === 'result') return withPlainTexts(body.result);
      if (body.is === 'error') throw fromSentError(this.#host, body.error);
      if (body.is === 'progress') waiting.onProgress?.({ done: body.done, of: body.of, what: plainText(body.what) });
      if (body.is === 'listening') waiting.onListening?.(body.port);
      // Beside the waiting: the agent says meanwhile that it lives.
      if (body.is === 'question') deciding = this.#decide(body.plan, waiting);
    }
  }

  /** Whoever cannot be asked says no; why is told when the agent has undone what it did. */
  async #decide(plan: unknown, { id, onQuestion }: Waiting & { readonly id: string }): Promise<Decision> {
    let decision: Decision;
    try {
      decision = { yes: (await onQuestion?.(withPlainTexts(plan))) ?? false };
    } catch (failure) {
      decision = { yes: false, failure };
    }
    await this.#tell({ ask: 'answer', to: id, yes: decision.yes });
    return decision;
  }

  /** What need not be answered. Lost with the connection: whoever waits for more hears of that. */
  async #tell(question: Question): Promise<void> {
    await this.#send(randomUUID(), question).catch(() => {});
  }

  async #send(id: string, question: Question): Promise<void> {
    const body = printRequest({ id, question });
    if (body.length > LIMITS.requestBytes)
      throw new NoAnswer(
        this.#host,
        `the request has ${body.length} bytes, more than the ${LIMITS.requestBytes} that agents take`,
        false,
      );
    const proof = Buffer.concat([Buffer.from(this.#site.keys.publicKey, 'base64url'), this.#seal.sum(body)]);
    try {
      await this.#socket.send([proof, body]);
    } catch {
      throw new Silence('the connection was lost');
    }
  }

  async #receive(): Promise<readonly Buffer[]> {
    const silentMs = this.#site.silentMs ?? SILENT_MS;
    this.#socket.receiveTimeout = silentMs;
    try {
      return await Promise.race([this.#socket.receive(), this.#lost]);
    } catch (error) {
      if (error instanceof Silence) throw error;
      throw new Silence(`the agent said nothing for ${silentMs / 1_000} s`);
    }
  }
}

interface Decision {
  readonly yes: boolean;
  readonly failure?: unknown;
}

/** Nobody answers: asked again on a new connection. */
class Silence extends Error {}

/** The keys that are pinned are tried one after the other: an agent that changes its key has the old one or the new. */
async function openSocket(site: ConnectionSite, context: Context): Promise<{ socket: Dealer; seal: Seal }> {
  const { address, keys, pinned, knownFile, connectWithinMs = CONNECT_WITHIN_MS } = site;
  const host = printAddress(address);
  for (const serverKey of pinned) {
    const linked = await link({ context, address, keys, serverKey, withinMs: connectWithinMs });
    if (linked.is === 'open') {
      const ends = { controller: keys.publicKey, agent: serverKey };
      return { socket: linked.socket, seal: sealBetween(keys, serverKey, ends) };
    }
    if (linked.is === 'refused') throw new KeyRefused(host, printPublicKey(keys.publicKey));
    if (linked.is === 'unreachable')
      throw new Unreachable(
        host,
        linked.reason,
        `See on ${address.host}: \`systemctl status hft-agent\`, and where it listens.`,
      );
  }
  throw new WrongServerKey(host, knownFile);
}
