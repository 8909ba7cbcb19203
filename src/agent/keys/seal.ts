import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { type KeyPair, sharedSecret } from './key-text.ts';

/**
 * Who sent a request. CURVE lets in those who have an authorised key, and zeromq does not say which of them sent a message;
 * so each request carries the sender's public key and a sum that only the two ends can make.
 */
export interface Seal {
  /** 32 bytes of HMAC-SHA-256. */
  sum(body: Buffer): Buffer;
  matches(body: Buffer, sum: Buffer): boolean;
}

export const SUM_BYTES = 32;
const KEY_BYTES = 32;

/** The same for both: `own` and `peer` in either place, by who is the controller. Throws for a key that is no point of the curve. */
export function sealBetween(
  own: KeyPair,
  peer: string,
  ends: { readonly controller: string; readonly agent: string },
): Seal {
  const info = `hft request\0${ends.controller}\0${ends.agent}`;
  const key = Buffer.from(hkdfSync('sha256', sharedSecret(own, peer), '', info, KEY_BYTES));
  const sum = (body: Buffer) => createHmac('sha256', key).update(body).digest();
  return { sum, matches: (body, found) => found.length === SUM_BYTES && timingSafeEqual(sum(body), found) };
}
