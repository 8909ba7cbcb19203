import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { UsageError } from '../../errors.ts';
import { encodeZ85 } from './z85.ts';

/** A pair of X25519 keys, as CURVE has them (https://rfc.zeromq.org/spec/25/). Both 32 bytes, as base64url. */
export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** Told apart at a glance, safe in a shell, and never taken for a flag. */
const PUBLIC = 'hftpub_';
const SECRET = 'hftkey_';
const KEY = /^[A-Za-z0-9_-]{43}$/;

/** RFC 8410: what stands before the 32 bytes of an X25519 key in PKCS #8 and in SPKI. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');

export function makeKeyPair(): KeyPair {
  const { privateKey } = generateKeyPairSync('x25519');
  return pairOf(privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(PKCS8.length).toString('base64url'));
}

export function printPublicKey(publicKey: string): string {
  return PUBLIC + publicKey;
}

export function printSecretKey(secretKey: string): string {
  return SECRET + secretKey;
}

/** The key in `hftpub_…`; undefined when the text is none. */
export function parsePublicKey(text: string): string | undefined {
  return parse(text, PUBLIC);
}

/** The pair of the secret key in `hftkey_…`; undefined when the text is none. */
export function parseSecretKey(text: string): KeyPair | undefined {
  const secretKey = parse(text, SECRET);
  return secretKey === undefined ? undefined : pairOf(secretKey);
}

/** Throws UsageError, with the place it was given in. */
export function requirePublicKey(text: string, where: string): string {
  const key = parsePublicKey(text);
  if (key !== undefined) return key;
  const next = text.startsWith(SECRET)
    ? ['This is a secret key: it stays where it was made. Make a new one, since it was shown.']
    : ['`hft agent keygen` prints the public key of the pair.'];
  const got = text.startsWith(SECRET) ? 'a secret key' : JSON.stringify(text.slice(0, 60));
  throw new UsageError(`${where}: expected a public key (${PUBLIC}…), got ${got}.`, { next });
}

/** As zeromq takes it. */
export function toZ85(key: string): string {
  return encodeZ85(Buffer.from(key, 'base64url'));
}

/** What both ends of two pairs can work out and nobody else (RFC 7748). Throws for a public key that is no point of the curve. */
export function sharedSecret(own: KeyPair, publicKey: string): Buffer {
  return diffieHellman({ privateKey: privateKeyOf(own.secretKey), publicKey: publicKeyOf(publicKey) });
}

/** 43 characters hold two bits more than 32 bytes: only the one spelling that is printed is taken. */
function parse(text: string, prefix: string): string | undefined {
  const key = text.slice(prefix.length);
  if (!text.startsWith(prefix) || !KEY.test(key)) return undefined;
  return Buffer.from(key, 'base64url').toString('base64url') === key ? key : undefined;
}

function pairOf(secretKey: string): KeyPair {
  const spki = createPublicKey(privateKeyOf(secretKey)).export({ type: 'spki', format: 'der' });
  return { secretKey, publicKey: spki.subarray(SPKI.length).toString('base64url') };
}

function privateKeyOf(secretKey: string): KeyObject {
  const key = Buffer.concat([PKCS8, Buffer.from(secretKey, 'base64url')]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function publicKeyOf(publicKey: string): KeyObject {
  const key = Buffer.concat([SPKI, Buffer.from(publicKey, 'base64url')]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}
