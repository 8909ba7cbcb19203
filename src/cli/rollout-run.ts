import type { RemoteHost } from '../agent/client/remote-host.ts';
import {
  foldRecords,
  type HostEnd,
  type HostState,
  isFailure,
  isSettled,
  type RolloutBegin,
  type RolloutHost,
  type RolloutRecord,
} from '../fleet/rollout.ts';
import { eachSideBySide } from './fleet-ask.ts';
import type { FleetProgress } from './fleet-progress.ts';
import type { OpenHost } from './open-host.ts';
import { bringHost, endOfError, type HostTask, lookAgain, type RolloutWish } from './rollout-host.ts';
import type { RolloutJournal } from './rollout-journal.ts';

/** What a rollout came to, or has come to so far. */
export interface RolledOut {
  readonly begin: RolloutBegin<RolloutWish>;
  /** By host; missing: it was not started. */
  readonly ends: ReadonlyMap<string, HostEnd>;
  /** Why no more hosts were started; undefined: all were. */
  readonly stopped: string | undefined;
}

export interface RolloutSite {
  readonly journal: RolloutJournal;
  readonly open: (host: RolloutHost) => Promise<OpenHost<RemoteHost>>;
  readonly progress: FleetProgress;
  readonly signal: AbortSignal;
}

/**
 * Wave by wave, the hosts of a wave side by side. Before the next wave all hosts of this one are looked at once more. No host is begun after
 * so many failed, or after the signal; those at work come to their end.
 */
export async function runWaves(records: readonly RolloutRecord<RolloutWish>[], site: RolloutSite): Promise<RolledOut> {
  const begin = records[0] as RolloutBegin<RolloutWish>;
  const run = new Run(begin, foldRecords(records), site);
  for (const [index, wave] of begin.waves.entries()) {
    if (run.whyStopped() !== undefined) break;
    await run.bring(wave, index);
    if (index < begin.waves.length - 1 && run.whyStopped() === undefined) await run.lookAgain(wave);
  }
  return { begin, ends: run.ends, stopped: run.isWhole() ? undefined : run.whyStopped() };
}

class Run {
  readonly ends = new Map<string, HostEnd>();
  readonly #begin: RolloutBegin<RolloutWish>;
  readonly #states: ReadonlyMap<string, HostState>;
  readonly #site: RolloutSite;
  #failures = 0;

  constructor(begin: RolloutBegin<RolloutWish>, states: ReadonlyMap<string, HostState>, site: RolloutSite) {
    this.#begin = begin;
    this.#states = states;
    this.#site = site;
    for (const [host, { end }] of states) if (end !== undefined) this.ends.set(host, end);
  }

  isWhole(): boolean {
    return this.#begin.hosts.every(({ name }) => this.#isSettled(name));
  }

  whyStopped(): string | undefined {
    const { maxFail } = this.#begin.wish;
    if (this.#site.signal.aborted) return 'it was interrupted';
    return this.#failures >= maxFail ? `${this.#failures} failed (--max-fail ${maxFail})` : undefined;
  }

  async bring(wave: readonly string[], index: number): Promise<void> {
    const left = wave.filter((name) => !this.#isSettled(name));
    if (left.length === 0) return;
    const { progress, journal } = this.#site;
    progress.say(`Wave ${index + 1} of ${this.#begin.waves.length}: ${left.length} hosts`);
    await eachSideBySide(left, this.#begin.wish.forks, async (name) => {
      if (this.whyStopped() !== undefined) return;
      progress.begins(name);
      const task = this.#taskOf(name);
      const end = await bringHost(task).catch((error: unknown) => endOfError(task.host, error));
      await journal.ended(name, end);
      this.#take(name, end);
    });
  }

  /** What held right after the change must hold when the whole wave is done. */
  async lookAgain(wave: readonly string[]): Promise<void> {
    const done = wave.filter((name) => this.ends.get(name)?.outcome === 'done');
    await eachSideBySide(done, this.#begin.wish.forks, async (name) => {
      const end = await lookAgain(this.#taskOf(name));
      if (end === undefined) return;
      await this.#site.journal.ended(name, end);
      this.#take(name, end);
    });
  }

  #take(name: string, end: HostEnd): void {
    const failed = isFailure(end);
    if (failed) this.#failures++;
    this.ends.set(name, end);
    const error = failed ? { message: `${name}: ${end.why}`, next: end.next } : undefined;
    this.#site.progress.ends({ host: name, brief: end.why, error });
  }

  #isSettled(name: string): boolean {
    return isSettled(this.ends.get(name), this.#begin.wish.reboots);
  }

  #taskOf(name: string): HostTask {
    const { wish, hosts, shown } = this.#begin;
    const { open, signal, journal } = this.#site;
    const host = hosts.find((each) => each.name === name) as RolloutHost;
    const asked = this.#states.get(name)?.asked;
    const onAsked = (names: { plan: string; request: string }) => journal.asked(name, names);
    return { host, wish, asked, shown: shown[name] ?? [], open, onAsked, signal };
  }
}
