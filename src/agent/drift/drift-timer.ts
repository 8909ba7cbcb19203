import type { ProcessIdentity } from '../../host/process-identity.ts';
import type { StateDirectory } from '../../host/state-directory.ts';
import { type DriftRecord, writeDrift } from './drift-file.ts';
import type { DriftWatch } from './drift-watch.ts';

export interface TimerSite {
  readonly watch: DriftWatch;
  readonly run: StateDirectory;
  readonly agent: ProcessIdentity;
  /** CPU time of this process and of those that it started and that ended, ms. */
  readonly cpuMs: () => number;
  readonly nowMs: () => number;
  readonly log: (event: string, facts: Readonly<Record<string, unknown>>) => void;
  /** Between two quick looks, at least 1 s; undefined: as often as the share below allows. */
  readonly everyMs: number | undefined;
}

/** Both kinds of look take a ten-thousandth of a CPU each at most: a large host is looked at less often. */
const SHARE = 10_000;
const QUICK_MS = { least: 10_000, most: 60_000 };
const WHOLE_MS = { least: 30 * 60_000, most: 6 * 3_600_000 };

/** How long until the next look, after looks that cost so much. Pure. */
export function paceOf(costMs: number, { least, most }: { readonly least: number; readonly most: number }): number {
  return Math.min(Math.max(costMs * SHARE, least), most);
}

/** Looks now and then, for as long as the agent runs; one look at a time, none faster than one a second. */
export class DriftTimer {
  readonly #site: TimerSite;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #quickMs = QUICK_MS.least;
  #wholeMs = WHOLE_MS.least;
  #lastWholeMs = Number.NEGATIVE_INFINITY;
  #isEnded = false;

  constructor(site: TimerSite) {
    this.#site = site;
  }

  start(): void {
    this.#next(0);
  }

  /** When the look that is being made is over. */
  async stop(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #next(inMs: number): void {
    if (this.#isEnded) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look();
    }, inMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { watch, cpuMs, nowMs, log, everyMs } = this.#site;
    const [startMs, startCpuMs] = [nowMs(), cpuMs()];
    try {
      const is = await watch.look(startMs - this.#lastWholeMs >= this.#wholeMs);
      const costMs = cpuMs() - startCpuMs;
      if (is === 'whole') {
        this.#lastWholeMs = startMs;
        this.#wholeMs = paceOf(costMs, WHOLE_MS);
      } else this.#quickMs = paceOf((this.#quickMs / SHARE + costMs) / 2, QUICK_MS);
      await writeDrift(this.#site.run, this.record);
    } catch (error) {
      // The agent serves on: who asks it is answered, and the log says what is wrong here.
      log('drift-failed', { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    this.#next(everyMs ?? this.#quickMs);
  }

  get record(): DriftRecord {
    const { watch, agent, everyMs } = this.#site;
    return {
      agent,
      profile: watch.profile,
      everyS: { quick: Math.round((everyMs ?? this.#quickMs) / 1_000), whole: Math.round(this.#wholeMs / 1_000) },
      settings: watch.settings,
      blind: watch.blind,
      ...watch.state,
    };
  }
}
