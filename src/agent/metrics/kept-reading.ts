import type { ReadingState } from '../../metrics/agent-families.ts';
import type { Family } from '../../metrics/exposition.ts';

/** What was read, as it is exposed at some time (`nowMs`: Unix time). */
export type Exposed = (nowMs: number) => readonly Family[];

export interface ReadingSpec {
  readonly name: string;
  /** Older than this it is read again, when somebody asks. */
  readonly maxAgeMs: number;
  readonly read: () => Promise<Exposed>;
  /** False while what is read is being changed. */
  readonly mayRead: () => boolean;
  readonly onFailed: (name: string, reason: string) => void;
  /** ms of a clock that never goes back. */
  readonly nowMs: () => number;
}

/** A part of the host that is read when somebody asks and what is known is too old: never by itself, and never twice at once. */
export class KeptReading {
  readonly #spec: ReadingSpec;
  #exposed: Exposed | undefined;
  #readAtMs: number | undefined;
  #tookMs: number | undefined;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;
  #failure: string | undefined;
  #failures = 0;

  constructor(spec: ReadingSpec) {
    this.#spec = spec;
  }

  /** Begins to read where it is time to. Settles when the reading that is under way ends; never throws. */
  async refresh(): Promise<void> {
    const { nowMs, maxAgeMs, mayRead } = this.#spec;
    // Also what failed is not tried more often.
    const isDue = nowMs() - this.#triedAtMs >= maxAgeMs;
    if (this.#pending === undefined && isDue && mayRead()) {
      this.#pending = this.#read().finally(() => {
        this.#pending = undefined;
      });
    }
    await this.#pending;
  }

  /** Why the last reading failed; undefined: it did not, or there was none. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get isKnown(): boolean {
    return this.#exposed !== undefined;
  }

  families(nowMs: number): readonly Family[] {
    return this.#exposed?.(nowMs) ?? [];
  }

  get state(): ReadingState {
    const inSeconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);
    const ageMs = this.#readAtMs === undefined ? undefined : this.#spec.nowMs() - this.#readAtMs;
    return {
      name: this.#spec.name,
      ageS: inSeconds(ageMs),
      tookS: inSeconds(this.#tookMs),
      failures: this.#failures,
    };
  }

  async #read(): Promise<void> {
    const { name, read, nowMs, onFailed } = this.#spec;
    const startedMs = nowMs();
    this.#triedAtMs = startedMs;
    try {
      this.#exposed = await read();
      this.#readAtMs = nowMs();
      this.#tookMs = this.#readAtMs - startedMs;
      this.#failure = undefined;
    } catch (error) {
      this.#failures++;
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#failure) onFailed(name, reason);
      this.#failure = reason;
    }
  }
}
