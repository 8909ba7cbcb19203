import type { Machine } from '../topology/machine.ts';
import type { RunJournal } from './journal.ts';
import type { Plan } from './plan.ts';
import { readSession, type SessionFacts, withUppers } from './session.ts';
import type { Engine, Guard, Planned, TuneRequest } from './tune.ts';

/** The interfaces that a plan's changes can disturb and that carry a session: such a plan waits for a confirmation. */
export function sessionInterfaces(plan: Plan, machine: Machine): readonly string[] {
  const carrying = new Set(machine.nics.filter((nic) => nic.carriesSession).map((nic) => nic.name));
  const touched = plan.changes.flatMap(({ setting, bystanders = [] }) => [
    ...(setting.interface === undefined ? [] : [setting.interface]),
    ...bystanders.flatMap(({ bystander }) => bystander.interface ?? []),
  ]);
  return [...new Set(touched.filter((name) => carrying.has(name)))];
}

/** Whether one run has to be confirmed, and by when. The guard is at work before anything is written that needs it. */
export class Confirmation {
  readonly #engine: Engine;
  readonly #journal: RunJournal;
  readonly #guard: Guard | undefined;
  /** How the host could be reached before; undefined as long as nothing is done that could change that. */
  #session: SessionFacts | undefined;
  #isArmed = false;

  constructor(engine: Engine, journal: RunJournal, guard: Guard | undefined) {
    this.#engine = engine;
    this.#journal = journal;
    this.#guard = guard;
  }

  /** Called with every plan before any of it is made: a later one can touch the session's interface for the first time. */
  async guardIfNeeded({ plan, machine }: Planned): Promise<void> {
    const guard = this.#guard;
    if (guard === undefined || this.#isArmed) return;
    if (guard.always) return this.#armAlways(guard);
    const touched = sessionInterfaces(plan, machine);
    if (touched.length === 0) return;
    const session = await readSession(this.#engine.host, withUppers(touched, machine.nics));
    await this.#journal.record({ type: 'confirm-by', time: this.#deadline(guard), session });
    await guard.arm(this.#journal.run);
    this.#session = session;
    this.#isArmed = true;
  }

  async #armAlways(guard: Guard): Promise<void> {
    await this.#journal.record({ type: 'confirm-by', time: this.#deadline(guard), ...ownerOf(guard) });
    await guard.arm(this.#journal.run);
    this.#isArmed = true;
  }

  /** A question that nobody answers in time is declined: the session it was asked through may be the one that is cut. */
  async approve(plan: Plan, ask: TuneRequest['approve']): Promise<boolean> {
    if (this.#guard === undefined || !this.#isArmed) return ask(plan);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.#guard.confirmWithinS * 1000);
    const declined = new Promise<false>((resolve) => late.signal.addEventListener('abort', () => resolve(false)));
    try {
      return await Promise.race([ask(plan, late.signal), declined]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The time for the confirmation begins when everything is made, however long that took. Connections that came in
   * meanwhile may be older than the change that cuts them, so they prove nothing either. Returns the deadline, ISO 8601.
   */
  async endApplied(): Promise<string | undefined> {
    if (this.#guard === undefined || !this.#isArmed) {
      await this.#journal.record({ type: 'end', result: 'applied' });
      return undefined;
    }
    const session = this.#session && (await this.#withInbound(this.#session));
    const time = this.#deadline(this.#guard);
    const waits = { type: 'confirm-by', time, ...(session && { session }), ...ownerOf(this.#guard) } as const;
    await this.#journal.record(waits, { type: 'end', result: 'applied' });
    return time;
  }

  async #withInbound(session: SessionFacts): Promise<SessionFacts> {
    const { inbound } = await readSession(this.#engine.host, session.interfaces);
    return { ...session, inbound: [...session.inbound, ...inbound] };
  }

  #deadline({ confirmWithinS }: Guard): string {
    return new Date(this.#engine.now().getTime() + confirmWithinS * 1000).toISOString();
  }
}

function ownerOf({ owner }: Guard): Pick<Guard, 'owner'> {
  return owner === undefined ? {} : { owner };
}
