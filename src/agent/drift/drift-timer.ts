import type { ProcessIdentity } from '../../host/process-identity.ts';
import type { StateDirectory } from '../../host/state-directory.ts';
import type { Log } from '../daemon/log.ts';
import { type DriftRecord, writeDrift } from './drift-file.ts';
import type { DriftWatch } from './drift-watch.ts';

export interface TimerSite {
  readonly watch: DriftWatch;
  readonly run: StateDirectory;
  readonly agent: ProcessIdentity;
  /** CPU time of this process and of those that it started and that ended, ms. */
  readonly cpuMs: () => number;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Between two quick looks, at least 1 s; undefined: as often as the share below allows. */
  readonly everyMs: number | undefined;
}

/** Looks take that part of a CPU each, as far as their bounds allow it: a large host is looked at less often. */
interface Pace {
  readonly share: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

const QUICK: Pace = { share: 1 / 5_000, leastMs: 10_000, mostMs: 30_000 };
const WHOLE: Pace = { share: 1 / 10_000, leastMs: 30 * 60_000, mostMs: 2 * 3_600_000 };

/** How long until the next look, after looks that cost so much. Pure. */
function paceOf(costMs: number, { share, leastMs, mostMs }: Pace): number {
  return Math.min(Math.max(costMs / share, leastMs), mostMs);
}

/** Looks now and then, for as long as the agent runs; one look at a time, none faster than one a second. */
export class DriftTimer {
  readonly #site: TimerSite;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #quickMs = QUICK.leastMs;
  #wholeMs = WHOLE.leastMs;
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
        this.#wholeMs = paceOf(costMs, WHOLE);
      } else this.#quickMs = paceOf((this.#quickMs * QUICK.share + costMs) / 2, QUICK);
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
