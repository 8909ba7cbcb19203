/**
 * Random numbers from a seed, so that every result can be made again: xoshiro128++ 1.0 by D. Blackman and S. Vigna
 * (https://prng.di.unimi.it), its state filled by splitmix32 from the seed.
 */
export interface Random {
  /** A whole number from 0 to 2 ** 32 - 1. */
  readonly bits32: () => number;
  /** Uniform, above 0 and below 1. */
  readonly uniform: () => number;
  /** A whole number from 0 to `bound - 1`; `bound` is far below 2 ** 32. */
  readonly below: (bound: number) => number;
}

/** `seed` is a whole number; its low 32 bits count. */
export function seededRandom(seed: number): Random {
  const next = splitmix32(seed);
  const bits32 = xoshiro128pp([next(), next(), next(), next()]);
  const uniform = () => (bits32() + 0.5) / 2 ** 32;
  return { bits32, uniform, below: (bound) => Math.floor(uniform() * bound) };
}

/** The generator for a given state, which must not be all 0. */
export function xoshiro128pp(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state;
  return () => {
    const result = (rotateLeft((a + d) | 0, 7) + a) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}
