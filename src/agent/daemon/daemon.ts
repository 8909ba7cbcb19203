import type { StateDirectory } from '../../host/state-directory.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import type { AuthorizedControllers, Controller } from '../keys/authorized.ts';
import { type KeyPair, printPublicKey } from '../keys/key-text.ts';
import { mayAct } from '../keys/roles.ts';
import { LIMITS } from '../protocol/limits.ts';
import { type AnswerBody, printAnswer, type ReadRequest, type Request, readRequest } from '../protocol/message.ts';
import { RULES } from '../protocol/request.ts';
import type { Counters } from '../protocol/results.ts';
import { type DaemonActivity, describeWorks } from './activity.ts';
import type { Arrived, Peer } from './agent-link.ts';
import { AgentSocket } from './agent-socket.ts';
import { Counts } from './counts.ts';
import type { Log } from './log.ts';
import { Rate } from './rate.ts';
import { Refused, sayNotUnderstood, sayVersions } from './refused.ts';
import { answerOnce, RememberedAnswers } from './remembered.ts';
import { Seals } from './seals.ts';
import { toSentError } from './sent-error.ts';
import { type AgentServices, serve } from './services.ts';
import { Turns } from './turns.ts';
import { UnheardAnswer } from './unheard.ts';
import { Work } from './work.ts';

export interface DaemonSite {
  readonly endpoint: string;
  readonly state: StateDirectory;
  /** The pair in use; read again when the agent is told to. */
  readonly keys: () => KeyPair;
  /** As the file says now: a key that was taken out of it is refused from then on. */
  readonly authorized: () => AuthorizedControllers;
  readonly services: (daemon: AgentDaemon) => AgentServices;
  readonly log: Log;
  /** What runs: for the audit log. */
  readonly about: Readonly<Record<string, unknown>>;
  readonly now: () => Date;
  readonly nowMs: () => number;
}

/** Takes requests, one after the other or some at once, until it is told to end. Nothing wakes it up while nobody asks. */
export class AgentDaemon {
  readonly #site: DaemonSite;
  readonly #remembered: RememberedAnswers;
  readonly #audit: AuditTrail;
  readonly #services: AgentServices;
  readonly #rate = new Rate();
  readonly #works = new Map<string, Work>();
  readonly #turns = new Turns(LIMITS.atWork);
  readonly #unheard = new UnheardAnswer();
  readonly #counts: Counts;
  #seals: Seals;
  #keys: KeyPair;
  #socket: AgentSocket | undefined;
  #isEnding = false;
  #isDeaf = false;

  private constructor(site: DaemonSite, remembered: RememberedAnswers, audit: AuditTrail) {
    this.#site = site;
    this.#remembered = remembered;
    this.#audit = audit;
    this.#counts = new Counts(site.log, audit);
    this.#keys = site.keys();
    this.#seals = new Seals(this.#keys, site.log);
    this.#services = site.services(this);
  }

  /** Listens. Throws HftError for keys and where another agent writes the audit log, and what zeromq throws for the address. */
  static async start(site: DaemonSite): Promise<AgentDaemon> {
    // One without keys leaves the audit log alone.
    site.keys();
    const audit = new AuditTrail(await AuditLog.open(site.state, site.now), site);
    try {
      const daemon = new AgentDaemon(site, await RememberedAnswers.open(site.state), audit);
      await daemon.#open();
      const { endpoint } = daemon;
      await audit.started({ ...site.about, endpoint, key: printPublicKey(daemon.#keys.publicKey) });
      return daemon;
    } catch (error) {
      await audit.release();
      throw error;
    }
  }

  /** What it does by itself is written there too. */
  get audit(): AuditTrail {
    return this.#audit;
  }

  get endpoint(): string {
    return this.#socket?.endpoint ?? this.#site.endpoint;
  }

  get counters(): Counters {
    return this.#counts.counters;
  }

  get activity(): DaemonActivity {
    return {
      ...describeWorks([...this.#works.values()], this.#site.nowMs()),
      isListening: this.#socket?.isOpen ?? false,
      isEnding: this.#isEnding,
      connections: this.#socket?.connections ?? 0,
    };
  }

  find(id: string): Work | undefined {
    return this.#works.get(id);
  }

  /** Takes the pair that is in its file now. Who is connected connects again, and asks again for what it waits for. */
  async reload(): Promise<void> {
    const keys = this.#site.keys();
    const isNew = keys.publicKey !== this.#keys.publicKey;
    this.#site.log('reloaded', { key: keys.publicKey, isNew });
    await this.#audit.tell('reload', { key: printPublicKey(keys.publicKey), isNew });
    if (!isNew) return;
    this.#keys = keys;
    this.#seals = new Seals(keys, this.#site.log);
    await this.#socket?.drain();
    this.#socket?.close();
    try {
      await this.#open();
    } catch (error) {
      this.#isDeaf = true;
      throw error;
    }
  }

  /** Nobody can reach it any more: whoever runs it starts it again. */
  get isDeaf(): boolean {
    return this.#isDeaf;
  }

  /** What is at work stops before its next change and is undone; its answer is kept and sent. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    for (const work of this.#works.values()) work.cancel();
    while (this.#works.size > 0) await new Promise((resolve) => setTimeout(resolve, ENDED_PERIOD_MS));
    await this.#socket?.drain();
    this.#socket?.close();
    await this.#audit.close({ ...this.counters });
  }

  async #open(): Promise<void> {
    const socket = await AgentSocket.openWhenFree({
      endpoint: this.#socket?.endpoint ?? this.#site.endpoint,
      keys: this.#keys,
      isKnown: (key) => this.#controllerOf(key) !== undefined,
      onMessage: (arrived) => this.#take(arrived),
      onMalformed: () => this.#counts.add('malformed', {}),
      onCut: (why, key, address) => this.#counts.add('limited', { why, address }, this.#controllerOf(key)),
      onUnknownKey: (key, address) => this.#counts.add('unknownKeys', { key, address }),
    });
    this.#socket = socket;
  }

  /** Whoever sent it is known before any of it is looked at. */
  #take({ peer, sender, sum, body }: Arrived): void {
    const controller = this.#controllerOf(sender);
    if (controller !== undefined && this.#seals.of(controller)?.matches(body, sum) !== true) {
      this.#counts.add('malformed', { claims: controller.name });
      return;
    }
    const read = readRequest(body);
    if (read.is === 'malformed') {
      this.#counts.add('malformed', { bytes: body.length });
      return;
    }
    const why = this.#whyRefused(read, { sender, controller });
    if (why === undefined && read.is === 'request' && controller !== undefined)
      void this.#admit(read.request, { controller, peer });
    else {
      const id = read.is === 'request' ? read.request.id : read.id;
      peer.send(printAnswer(id, { is: 'error', error: toSentError(why) }));
    }
  }

  #whyRefused(
    read: Exclude<ReadRequest, { is: 'malformed' }>,
    { sender, controller }: { sender: string; controller: Controller | undefined },
  ): Refused | undefined {
    if (controller === undefined) {
      this.#counts.add('unknownKeys', { key: sender });
      return new Refused('This key is not authorised any more.', ['See /etc/hft/authorized_controllers on the host.']);
    }
    if (!this.#rate.take(controller.key, this.#site.nowMs())) {
      this.#counts.add('limited', {}, controller);
      return new Refused(`More than ${LIMITS.perSecond} requests a second.`, ['Ask again in a second.']);
    }
    if (read.is === 'request') return undefined;
    this.#counts.add('refused', { ...read }, controller);
    return read.is === 'foreign' ? sayVersions(read.version) : sayNotUnderstood(read.reason);
  }

  async #admit(request: Request, from: { controller: Controller; peer: Peer }): Promise<void> {
    const { id, question } = request;
    const { controller, peer } = from;
    const refuse = (message: string, next: readonly string[] = []) => {
      this.#counts.add('refused', { id, ask: question.ask, reason: message }, controller);
      peer.send(printAnswer(id, { is: 'error', error: toSentError(new Refused(message, next)) }));
    };
    const { role, aside = false } = RULES[question.ask];
    if (!mayAct(controller.role, role)) {
      return refuse(`${controller.name} is a ${controller.role} there: \`${question.ask}\` is for ${role}s.`, [
        'Who is what is in /etc/hft/authorized_controllers on the host.',
      ]);
    }
    const known = this.#works.get(id);
    if (known !== undefined) {
      if (isSame(known, request, controller)) known.join(peer);
      else refuse('Another request has this id.');
      return;
    }
    const unheard = question.ask === 'attend' ? this.#unheard.find(id, controller.key) : undefined;
    if (unheard !== undefined) return peer.send(printAnswer(id, unheard));
    if (this.#isEnding) return refuse('The agent is ending.', ['Nothing was done. Ask again when it is back.']);
    const own = [...this.#works.values()].filter((work) => work.controller.key === controller.key).length;
    if (!aside && (own >= LIMITS.ofOne || this.#works.size >= LIMITS.atWork + LIMITS.waiting))
      return refuse('The agent has too much to do.', ['Nothing was done. Ask again later.']);
    const work = new Work(request, controller);
    work.join(peer);
    this.#works.set(id, work);
    try {
      const answer = await this.#answer(work);
      work.tell(answer);
      this.#unheard.keep(work, answer);
    } finally {
      this.#works.delete(id);
    }
  }

  /** Never throws. */
  async #answer(work: Work): Promise<AnswerBody> {
    const { request, controller } = work;
    const { aside = false, writes } = RULES[request.question.ask];
    // Whoever waits for a turn hears that the agent lives, too.
    const beat = setInterval(() => {
      work.tell({ is: 'beat' });
      work.endUnattended(this.#site.nowMs());
    }, LIMITS.beatMs);
    if (!aside) await this.#turns.take();
    const startedMs = this.#site.nowMs();
    work.startedMs = startedMs;
    try {
      const attempt = () => this.#attempt(work);
      const audited = (act: typeof attempt) => this.#audited(work, act);
      if (!writes) return await audited(attempt);
      return await answerOnce(work, this.#remembered, { attempt, audited, now: this.#site.now });
    } catch (error) {
      return this.#describe(error);
    } finally {
      clearInterval(beat);
      if (!aside) this.#turns.free();
      this.#counts.answered();
      const tookMs = Math.round(this.#site.nowMs() - startedMs);
      const { name: by, role } = controller;
      this.#site.log('request', { by, role, ask: request.question.ask, id: request.id, tookMs });
    }
  }

  /** Whoever only looks leaves no line. */
  #audited(work: Work, act: () => Promise<AnswerBody>): Promise<AnswerBody> {
    const { request, controller } = work;
    const { question } = request;
    if (RULES[question.ask].role === 'viewer') return act();
    const shown = 'plan' in question ? this.#services.plans.peek(controller.key, question.plan) : undefined;
    const plan = shown && { wanted: shown.wanted, settings: shown.planned.plan.changes.length };
    return this.#audit.around(work, plan, act);
  }

  async #attempt(work: Work): Promise<AnswerBody> {
    try {
      return { is: 'result', result: await serve(work, this.#services) };
    } catch (error) {
      return this.#describe(error);
    }
  }

  #describe(error: unknown): AnswerBody {
    const sent = toSentError(error);
    if (sent.kind === 'bug') this.#site.log('bug', { stack: error instanceof Error ? error.stack : String(error) });
    return { is: 'error', error: sent };
  }

  #controllerOf(key: string): Controller | undefined {
    return this.#site.authorized().controllers.find((controller) => controller.key === key);
  }
}

const ENDED_PERIOD_MS = 20;

function isSame(known: Work, { question }: Request, { key }: Controller): boolean {
  if (known.controller.key !== key) return false;
  return question.ask === 'attend' || JSON.stringify(known.request.question) === JSON.stringify(question);
}
