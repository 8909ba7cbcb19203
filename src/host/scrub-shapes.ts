/**
 * Pseudonyms: something else of the same length and kind, the same one every time. Which one depends on the order in
 * which things are met and not on what they are, so nobody can compute the original from it.
 */

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';

/** A source of numbers that is the same in every run, xorshift32 (Marsaglia 2003). */
class Sequence {
  #state = 0x9e3779b9;

  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }
}

export type Alphabet = 'hex' | 'word';

function replaceCharacter(character: string, alphabet: Alphabet, sequence: Sequence): string {
  const pick = (from: string) => from[sequence.below(from.length)] as string;
  if (alphabet === 'hex' && /[0-9a-f]/i.test(character))
    return pick(/[A-F]/.test(character) ? 'ABCDEF' : `${DIGITS}abcdef`);
  if (alphabet === 'hex') return character;
  if (/[0-9]/.test(character)) return pick(DIGITS);
  if (/[a-z]/.test(character)) return pick(LOWER);
  return /[A-Z]/.test(character) ? pick(LOWER.toUpperCase()) : character;
}

/** So many tries that only a set which is nearly used up comes to its end. */
const MOST_TRIES = 1_000;

/** Pseudonyms of one kind of thing. */
export class Pseudonyms {
  readonly #known = new Map<string, string>();
  readonly #used = new Set<string>();
  readonly #sequence = new Sequence();

  /** A text of the same length, letters for letters and digits for digits; everything else stays. */
  ofText(original: string, alphabet: Alphabet): string {
    return this.#choose(original, () => {
      return [...original].map((character) => replaceCharacter(character, alphabet, this.#sequence)).join('');
    });
  }

  /** A number of as many digits. `key` tells apart what looks the same in different surroundings. */
  ofNumber(key: string, original: number, { radix, isAllowed }: NumberShape): number {
    const length = original.toString(radix).length;
    const [lowest, end] = [length === 1 ? 0 : radix ** (length - 1), radix ** length];
    const surroundings = key.slice(0, key.lastIndexOf(' ') + 1);
    const chosen = this.#choose(key, () => {
      const number = lowest + this.#sequence.below(end - lowest);
      return isAllowed(number) ? `${surroundings}${number}` : key;
    });
    return Number(chosen.slice(surroundings.length));
  }

  #choose(original: string, propose: () => string): string {
    const known = this.#known.get(original);
    if (known !== undefined) return known;
    let chosen = propose();
    for (let tries = 0; tries < MOST_TRIES && (chosen === original || this.#used.has(chosen)); tries++)
      chosen = propose();
    // Of nine addresses 1 to 9 the last may find only itself.
    if (this.#used.has(chosen) && !this.#used.has(original)) chosen = original;
    this.#known.set(original, chosen);
    this.#used.add(chosen);
    return chosen;
  }
}

export interface NumberShape {
  readonly radix: 10 | 16;
  readonly isAllowed: (number: number) => boolean;
}
