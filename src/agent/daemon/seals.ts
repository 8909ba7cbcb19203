import type { Controller } from '../keys/authorized.ts';
import type { KeyPair } from '../keys/key-text.ts';
import { type Seal, sealBetween } from '../keys/seal.ts';
import type { Log } from './log.ts';

/** What the requests of each controller are sealed with, for one pair of keys of the agent. */
export class Seals {
  readonly #keys: KeyPair;
  readonly #log: Log;
  readonly #known = new Map<string, Seal>();

  constructor(keys: KeyPair, log: Log) {
    this.#keys = keys;
    this.#log = log;
  }

  /** undefined: what stands in the file is no key that anybody could have. */
  of({ key, name }: Controller): Seal | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    try {
      const seal = sealBetween(this.#keys, key, { controller: key, agent: this.#keys.publicKey });
      this.#known.set(key, seal);
      return seal;
    } catch (error) {
      this.#log('no-key', { of: name, reason: String(error) });
      return undefined;
    }
  }
}
