import { Refused } from './refused.ts';

/** Who has the CPUs of this host to measure on, or to answer the measurement of another host. */
export interface BenchUse {
  readonly by: string;
  /** `verify latency`, for people. */
  readonly what: string;
}

/** One at a time: two would measure each other. */
export class Bench {
  #use: BenchUse | undefined;

  /** Throws Refused at once while somebody else has it. */
  async take<T>(use: BenchUse, act: () => Promise<T>): Promise<T> {
    if (this.#use !== undefined) {
      const { by, what } = this.#use;
      throw new Refused(`${by} is at it there already (${what}): two at a time would measure each other.`, [
        'Nothing was begun. Run it again when that has ended; its owner ends it with Ctrl-C.',
      ]);
    }
    this.#use = use;
    try {
      return await act();
    } finally {
      this.#use = undefined;
    }
  }
}
