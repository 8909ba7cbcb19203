import { isBroken } from '../../drift/breaker.ts';
import {
  advanceDrift,
  type DriftEvent,
  type Drifted,
  type DriftLook,
  type DriftState,
  NO_DRIFT,
  type Sighting,
} from '../../drift/drift.ts';
import { deviceOf, suspectsOf } from '../../drift/suspects.ts';
import { canonicalOrNull } from '../../engine/compare.ts';
import { HftError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import type { StateDirectory } from '../../host/state-directory.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { LineBudget } from '../audit/line-budget.ts';
import type { Log } from '../daemon/log.ts';
import { findPackages, findResets, findRivals, type LinkSight, readLinks, readSysctls } from './clues.ts';
import type { Healed } from './heal.ts';
import type { ProcessLooks } from './process-look.ts';
import { chooseQuick, lookQuickly } from './quick-look.ts';
import { journalFingerprint, type WatchedSetting, type WholeLook } from './whole-look.ts';

export interface DriftWatchSite {
  readonly host: HostReader;
  readonly state: StateDirectory;
  readonly processes: Pick<ProcessLooks, 'look' | 'findAdopted'>;
  /** Throws HftError where nothing can be planned now. */
  readonly lookAtAll: () => Promise<WholeLook>;
  readonly heal: (
    ids: readonly string[],
    begin: (ids: readonly string[]) => Promise<void>,
  ) => Promise<readonly Healed[]>;
  readonly audit: Pick<AuditTrail, 'tell' | 'mustTell'>;
  readonly log: Log;
  readonly now: () => Date;
}

/** What happens makes it look at all again, but no oftener. */
const LEAST_WHOLE_MS = 60_000;
/** A reset of a link explains what is found by the next whole look, too. */
const RESET_COUNTS_MS = 10 * 60_000;

/**
 * What drifts on this host, look by look: who looks when is for somebody else to decide. Between two hft runs of the journal nothing that
 * hft set may change; what a run that is at work does is no drift.
 */
export class DriftWatch {
  readonly #site: DriftWatchSite;
  readonly #budget = new LineBudget();
  #state: DriftState;
  #whole: WholeLook | undefined;
  #wholeMs = Number.NEGATIVE_INFINITY;
  #quick: readonly WatchedSetting[] = [];
  #names = '';
  #links: ReadonlyMap<string, LinkSight> = new Map();
  #resets: { device: string; evidence: string; atMs: number }[] = [];
  /** Something happened after which only a whole look is right. */
  #mustLook = true;
  #blind: string | null = null;
  #healed = new Set<string>();
  #failedMs = new Map<string, number[]>();
  #healAfterMs = Number.NEGATIVE_INFINITY;

  /** `before`: what the agent before this one knew. */
  constructor(site: DriftWatchSite, before: DriftState = NO_DRIFT) {
    this.#site = site;
    this.#state = before;
  }

  get state(): DriftState {
    return this.#state;
  }

  get blind(): string | null {
    return this.#blind;
  }

  get profile(): string | null {
    return this.#whole?.profile ?? null;
  }

  get settings(): { readonly quick: number; readonly whole: number } {
    return { quick: this.#quick.length, whole: this.#whole?.settings.length ?? 0 };
  }

  /** Looks, tells what is new, and heals what may be healed. Says how it looked. `isDue`: it is time for a whole look. */
  async look(isDue: boolean): Promise<'quick' | 'whole'> {
    const nowMs = this.#site.now().getTime();
    await this.#notice(nowMs);
    const isFirst = this.#whole === undefined;
    const mayLook = nowMs - this.#wholeMs >= LEAST_WHOLE_MS;
    const is = isFirst || isDue || (this.#mustLook && mayLook) ? await this.#lookAtAll() : await this.#lookQuickly();
    if (await this.#healDrifted()) {
      await this.#lookAtAll();
      return 'whole';
    }
    return is;
  }

  /** What a look costs nearly nothing to see: new runs in the journal, links that were reset. */
  async #notice(nowMs: number): Promise<void> {
    const names = (await this.#site.state.list('journal')).join();
    if (names !== this.#names) this.#mustLook = true;
    this.#names = names;
    const devices = new Set(this.#whole?.settings.flatMap(({ id }) => deviceOf(id) ?? []));
    const links = await readLinks(this.#site.host, devices);
    const resets = findResets(this.#links, links).map((reset) => ({ ...reset, atMs: nowMs }));
    if (resets.length > 0) this.#mustLook = true;
    this.#links = links;
    this.#resets = [...this.#resets.filter(({ atMs }) => nowMs - atMs < RESET_COUNTS_MS), ...resets];
  }

  async #lookAtAll(): Promise<'whole'> {
    const { host, now, processes } = this.#site;
    const time = now().toISOString();
    this.#wholeMs = now().getTime();
    let look: WholeLook;
    try {
      look = await this.#site.lookAtAll();
    } catch (error) {
      if (!(error instanceof HftError)) throw error;
      this.#sayBlind(error.message);
      return 'whole';
    }
    this.#whole = look;
    this.#mustLook = false;
    if (look.unsettled !== null) {
      this.#sayBlind(`the run ${look.unsettled} is at work, was cut off, or waits for a confirmation`);
      return 'whole';
    }
    this.#blind = null;
    this.#quick = await chooseQuick(host, look.settings);
    await processes.findAdopted();
    const placed = await processes.look(now().getTime());
    // What cannot be read now is as it was.
    const unread = look.unread.flatMap((id) => this.#state.drifted[id] ?? []);
    const differing = [
      ...look.settings.filter(({ isRight }) => !isRight).map(toSighting),
      ...unread,
      ...placed.differing,
    ];
    const seen = [...look.settings.map(({ id }) => id), ...placed.seen];
    await this.#advance({ ...this.#frame(look, placed.seen), time, is: 'whole', seen: new Set(seen), differing });
    return 'whole';
  }

  async #lookQuickly(): Promise<'quick' | 'whole'> {
    const { host, now, processes, state } = this.#site;
    const whole = this.#whole as WholeLook;
    if (whole.unsettled !== null) {
      // Nothing but the end of that run is of interest.
      return (await journalFingerprint(state)) === whole.journal ? 'quick' : this.#lookAtAll();
    }
    const time = now().toISOString();
    const { seen, lost } = await lookQuickly(host, this.#quick);
    if (lost.length > 0) this.#mustLook = true;
    const placed = await processes.look(now().getTime());
    const differing: Sighting[] = [
      ...seen.flatMap(({ setting, is, evidence }) =>
        isWanted(setting, is) ? [] : [{ ...toSighting(setting), is, evidence }],
      ),
      ...placed.differing,
    ];
    const ids = [...seen.map(({ setting }) => setting.id), ...placed.seen];
    // A run of hft may have changed it, and what is wanted too.
    if (this.#isNews(ids, differing) && (await journalFingerprint(state)) !== whole.journal) return this.#lookAtAll();
    await this.#advance({ ...this.#frame(whole, placed.seen), time, is: 'quick', seen: new Set(ids), differing });
    return 'quick';
  }

  #frame({ since, setAt }: WholeLook, placed: readonly string[]): Pick<DriftLook, 'quick' | 'inForceSince' | 'set'> {
    const set = new Map<string, 'healed' | 'run'>();
    for (const { id, since: began } of Object.values(this.#state.drifted)) {
      if (this.#healed.has(id)) set.set(id, 'healed');
      else if ((setAt[id] ?? '') > began.by) set.set(id, 'run');
    }
    return { quick: new Set([...this.#quick.map(({ id }) => id), ...placed]), inForceSince: since, set };
  }

  #isNews(ids: readonly string[], differing: readonly Sighting[]): boolean {
    const { drifted } = this.#state;
    const differs = new Set(differing.map(({ id }) => id));
    const isBack = ids.some((id) => drifted[id] !== undefined && !differs.has(id));
    return isBack || differing.some(({ id, is }) => drifted[id] === undefined || drifted[id].is !== is);
  }

  async #advance(look: DriftLook): Promise<void> {
    const { state, events } = advanceDrift(this.#state, look);
    const began = events.flatMap((event) => (event.is === 'drift' ? [event.drift] : []));
    const named = began.length === 0 ? [] : await this.#nameSuspects(began);
    const byId = new Map(named.map((drift) => [drift.id, drift]));
    this.#healed = new Set();
    this.#state = { ...state, drifted: { ...state.drifted, ...Object.fromEntries(byId) } };
    for (const event of events)
      await this.#tell(event.is === 'drift' ? { ...event, drift: byId.get(event.drift.id) ?? event.drift } : event);
  }

  async #nameSuspects(began: readonly Drifted[]): Promise<readonly Drifted[]> {
    const { host, now } = this.#site;
    const nowMs = now().getTime();
    const first = began.map(({ since }) => Date.parse(since.after ?? since.by)).sort((left, right) => left - right)[0];
    const clues = {
      rivals: await findRivals(host, nowMs),
      sysctls: await readSysctls(host),
      packages: await findPackages(host, first ?? nowMs, nowMs),
    };
    return began.map((drift) => {
      const tunable = this.#whole?.settings.find(({ id }) => id === drift.id)?.tunable;
      const links = this.#resets.filter(({ atMs }) => atMs >= Date.parse(drift.since.after ?? drift.since.by));
      const path = tunable?.kind === 'file' ? tunable.path : undefined;
      return { ...drift, suspects: suspectsOf(drift, path, { ...clues, links }) };
    });
  }

  /** True when something was set. */
  async #healDrifted(): Promise<boolean> {
    const { now, heal, audit, log } = this.#site;
    const nowMs = now().getTime();
    if (this.#blind !== null || nowMs < this.#healAfterMs) return false;
    await this.#breakOff();
    const ids = Object.values(this.#state.drifted)
      .filter(({ remedy, isBroken: isOff }) => remedy.heal === 'allowed' && !isOff)
      .map(({ id }) => id);
    if (ids.length === 0) return false;
    let begun: readonly string[] = [];
    const begin = async (chosen: readonly string[]) => {
      await audit.mustTell('heal', { settings: chosen });
      begun = chosen;
    };
    try {
      const healed = await heal(ids, begin);
      for (const each of healed) {
        for (const id of each.ids) this.#healed.add(id);
        log('healed', { ...each });
        await audit.tell('healed', {
          settings: each.ids,
          outcome: each.result,
          runs: [each.run],
          ...(each.failure && { reason: each.failure }),
        });
      }
      this.#healAfterMs = healed.some(({ result }) => result === 'applied') ? nowMs : nowMs + LEAST_WHOLE_MS;
      return healed.length > 0;
    } catch (error) {
      if (!(error instanceof HftError)) throw error;
      for (const id of begun) this.#failedMs.set(id, [...(this.#failedMs.get(id) ?? []), nowMs]);
      this.#healAfterMs = nowMs + LEAST_WHOLE_MS;
      log('not-healed', { settings: ids, reason: error.message });
      if (begun.length > 0) await audit.tell('not-healed', { settings: begun, reason: error.message });
      return false;
    }
  }

  /** Of what was healed as often as the profile allows: it is told once, with who keeps undoing it. */
  async #breakOff(): Promise<void> {
    const { healedMs = {}, breakers = {} } = this.#whole ?? {};
    for (const drift of Object.values(this.#state.drifted)) {
      const { id, domain, suspects } = drift;
      const breaker = breakers[domain];
      if (breaker === undefined || drift.isBroken || drift.remedy.heal !== 'allowed') continue;
      const times = [...(healedMs[id] ?? []), ...(this.#failedMs.get(id) ?? [])].sort((left, right) => left - right);
      if (!isBroken(times, breaker)) continue;
      this.#state = { ...this.#state, drifted: { ...this.#state.drifted, [id]: { ...drift, isBroken: true } } };
      const facts = { setting: id, heals: times.length, reason: 'healed as often as the profile allows', suspects };
      this.#site.log('not-healed', facts);
      await this.#site.audit.tell('not-healed', facts);
    }
  }

  async #tell({ is, drift }: DriftEvent): Promise<void> {
    const untold = this.#budget.take('drift', this.#site.now().getTime());
    if (untold === undefined) return;
    const { id, wanted, was, is: now, since, suspects, remedy, evidence } = drift;
    const facts = { setting: id, wanted, was, is: now, since, suspects, ...(untold > 0 && { notTold: untold }) };
    const [kind, more] =
      is === 'drift'
        ? (['drift', { evidence, remedy }] as const)
        : (['drift-ended', { how: drift.how, ended: drift.ended }] as const);
    this.#site.log(kind, { ...facts, ...more });
    await this.#site.audit.tell(kind, { ...facts, ...more });
  }

  #sayBlind(reason: string): void {
    if (reason !== this.#blind) this.#site.log('drift-not-judged', { reason });
    this.#blind = reason;
  }
}

function toSighting({ id, domain, wanted, is, evidence, remedy }: WatchedSetting): Sighting {
  return { id, domain, wanted, is, evidence, remedy };
}

function isWanted({ tunable, wanted }: WatchedSetting, is: string | null): boolean {
  return is === canonicalOrNull(tunable, wanted);
}
