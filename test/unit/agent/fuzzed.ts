/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Fuzzed {
  /** undefined: a right one, so that the body is looked at. */
  readonly proof: Buffer | undefined;
  readonly body: Buffer;
}

/** A message that is no right one: noise, or a right one with bytes changed, cut off, repeated or put in. */
export function fuzzed(random: () => number, right: Buffer): Fuzzed {
  const below = (limit: number) => Math.floor(random() * limit);
  const noise = (bytes: number) => Buffer.from(Array.from({ length: bytes }, () => below(256)));
  const kinds = [
    () => ({ proof: noise(below(130)), body: noise(below(300)) }),
    () => ({ proof: undefined, body: noise(below(300)) }),
    () => ({ proof: undefined, body: right.subarray(0, below(right.length)) }),
    () => ({ proof: undefined, body: Buffer.concat([right, noise(1 + below(20))]) }),
    () => ({ proof: undefined, body: replaced(right, '"hello"', `"${noise(4).toString('hex')}"`) }),
    () => ({ proof: undefined, body: replaced(right, '"hft":1', `"hft":${below(9) + 2}`) }),
    () => ({ proof: undefined, body: replaced(right, '"id":"', '"id":"..%2f') }),
    () => ({ proof: noise(64), body: right }),
  ];
  return (kinds[below(kinds.length)] as () => Fuzzed)();
}

function replaced(body: Buffer, from: string, to: string): Buffer {
  return Buffer.from(body.toString().replace(from, to));
}
