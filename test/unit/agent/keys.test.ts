import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAddress, printAddress } from '../../../src/agent/keys/agent-address.ts';
import { parseAuthorized, withController, withoutController } from '../../../src/agent/keys/authorized.ts';
import { keyFile, makeKeyFile, nextKeyFile, promoteKeyFile, readKeyPair } from '../../../src/agent/keys/key-files.ts';
import {
  makeKeyPair,
  parsePublicKey,
  parseSecretKey,
  printPublicKey,
  printSecretKey,
  requirePublicKey,
  toZ85,
} from '../../../src/agent/keys/key-text.ts';
import { pinnedKeys, withPinned } from '../../../src/agent/keys/known-agents.ts';
import { sealBetween } from '../../../src/agent/keys/seal.ts';
import { encodeZ85 } from '../../../src/agent/keys/z85.ts';
import { readTrusted } from '../../../src/host/guarded-file.ts';
import { LocalHost } from '../../../src/host/local.ts';
import { temporaryFolder } from './agent-rig.ts';

const KEY = makeKeyPair().publicKey;
const OTHER = makeKeyPair().publicKey;

describe('keys', () => {
  test('are those of CURVE: zeromq derives the same public key', async () => {
    const { curveKeyPair } = await import('zeromq');
    const made = curveKeyPair();
    // The reference implementation's own pair, read back through ours.
    const bytes = Buffer.from(decodeZ85(made.secretKey));
    const pair = parseSecretKey(printSecretKey(bytes.toString('base64url')));
    expect(toZ85(pair?.publicKey ?? '')).toBe(made.publicKey);
  });

  test('Z85 is as its specification has it', () => {
    expect(encodeZ85(Buffer.from('864fd26fb559f75b', 'hex'))).toBe('HelloWorld');
  });

  test('are printed and read back', () => {
    const pair = makeKeyPair();
    expect(parsePublicKey(printPublicKey(pair.publicKey))).toBe(pair.publicKey);
    expect(parseSecretKey(printSecretKey(pair.secretKey))).toEqual(pair);
  });

  test.each(['', 'hftpub_', `${printPublicKey(KEY)}x`, printPublicKey(KEY).slice(0, -1), `hftpub_${'='.repeat(43)}`])(
    '%j is no public key',
    (text) => expect(parsePublicKey(text)).toBeUndefined(),
  );

  test('a secret key where a public one is wanted is not shown again', () => {
    const { secretKey } = makeKeyPair();
    expect(() => requirePublicKey(printSecretKey(secretKey), 'KEY')).toThrow(/KEY: .* got a secret key\.$/);
  });

  test('a seal is made and known by the two ends alone', () => {
    const [agent, controller, third] = [makeKeyPair(), makeKeyPair(), makeKeyPair()];
    const ends = { controller: controller.publicKey, agent: agent.publicKey };
    const body = Buffer.from('{}');
    const sum = sealBetween(controller, agent.publicKey, ends).sum(body);
    const theirs = sealBetween(agent, controller.publicKey, ends);
    expect(theirs.matches(body, sum)).toBe(true);
    expect(theirs.matches(Buffer.from('{ }'), sum)).toBe(false);
    expect(theirs.matches(body, sum.subarray(1))).toBe(false);
    expect(theirs.matches(body, sealBetween(third, agent.publicKey, ends).sum(body))).toBe(false);
  });
});

describe('key files', () => {
  test('are for their owner alone, and never written over', async () => {
    const file = keyFile(temporaryFolder(), 'agent');
    const pair = await makeKeyFile(new LocalHost(), file, 'agent');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readKeyPair(file)).toEqual(pair);
    await expect(makeKeyFile(new LocalHost(), file, 'agent')).rejects.toThrow(/There is a key in .* already/);
    expect(readKeyPair(file)).toEqual(pair);
  });

  test.each([0o604, 0o640, 0o660, 0o644])('mode %o: not used', async (mode) => {
    const file = keyFile(temporaryFolder(), 'controller');
    await makeKeyFile(new LocalHost(), file, 'controller');
    chmodSync(file, mode);
    expect(() => readKeyPair(file)).toThrow(/is not used: its mode is .* others may read the secret in it/);
  });

  test.each(['', 'hftkey_', 'hftpub_abc', `hftkey_${'A'.repeat(42)}`])('%j is no key: it is not shown', (text) => {
    const file = join(temporaryFolder(), 'agent.key');
    writeFileSync(file, text, { mode: 0o600 });
    expect(() => readKeyPair(file)).toThrow(/expected one secret key \(hftkey_…\), got something else\.$/);
  });

  test('the next key takes the place of the one in use', async () => {
    const [folder, host] = [temporaryFolder(), new LocalHost()];
    await makeKeyFile(host, keyFile(folder, 'agent'), 'agent');
    const next = await makeKeyFile(host, nextKeyFile(folder, 'agent'), 'agent');
    await promoteKeyFile(host, folder, 'agent');
    expect(readKeyPair(keyFile(folder, 'agent'))).toEqual(next);
    expect(statSync(keyFile(folder, 'agent')).mode & 0o777).toBe(0o600);
    await expect(promoteKeyFile(host, folder, 'agent')).rejects.toThrow(/There is no .*agent\.next\.key to promote/);
  });
});

describe('authorised controllers', () => {
  const text = `# who may\n\nadmin ${printPublicKey(KEY)} alice, desk 4\n`;

  test('are a role, a key and a name', () => {
    expect(parseAuthorized(text)).toEqual({
      controllers: [{ role: 'admin', key: KEY, name: 'alice, desk 4' }],
      mistakes: [],
    });
  });

  test.each([
    [`root ${printPublicKey(KEY)} x`, 'line 1: expected viewer, operator, admin, got "root"'],
    ['admin hftpub_short x', 'line 1: expected a public key (hftpub_…) after admin'],
    [`${text}viewer ${printPublicKey(KEY)} bob`, 'line 4: this key is in an earlier line already'],
  ])('%j lets nobody in by that line', (lines, mistake) => {
    const { mistakes, controllers } = parseAuthorized(lines);
    expect(mistakes).toEqual([mistake]);
    expect(controllers.length).toBe(lines.startsWith('#') ? 1 : 0);
  });

  test('one more, another role, one less; comments stay', () => {
    const more = withController(text, { role: 'viewer', key: OTHER, name: 'bob' });
    expect(parseAuthorized(more).controllers.map(({ role }) => role)).toEqual(['admin', 'viewer']);
    const changed = withController(more, { role: 'operator', key: KEY, name: 'alice' });
    expect(parseAuthorized(changed).controllers.map(({ role }) => role)).toEqual(['viewer', 'operator']);
    const less = withoutController(changed, KEY);
    expect(parseAuthorized(less).controllers.map(({ key }) => key)).toEqual([OTHER]);
    expect(less).toContain('# who may');
    expect(withController('', { role: 'viewer', key: KEY, name: 'x' })).toBe(`viewer ${printPublicKey(KEY)} x\n`);
  });

  test('a file that others may write to is not used', () => {
    const file = join(temporaryFolder(), 'authorized_controllers');
    writeFileSync(file, text);
    chmodSync(file, 0o664);
    expect(() => readTrusted(file)).toThrow(/is not used: its mode is 0664: others may write to it/);
    chmodSync(file, 0o644);
    expect(readTrusted(file)).toBe(readFileSync(file, 'utf8'));
  });
});

describe('known agents', () => {
  test.each([
    ['box7', { host: 'box7', port: 7411 }, 'box7'],
    ['box7:7500', { host: 'box7', port: 7500 }, 'box7:7500'],
    ['10.1.0.7', { host: '10.1.0.7', port: 7411 }, '10.1.0.7'],
    ['[2001:db8::7]:7411', { host: '2001:db8::7', port: 7411 }, '[2001:db8::7]'],
  ])('%s', (text, address, printed) => {
    expect(parseAddress(text, '--host')).toEqual(address);
    expect(printAddress(address)).toBe(printed);
  });

  test.each(['', 'box 7', 'box7:0', 'box7:70000', 'tcp://box7', '../box7', '-box', '2001:db8::7', 'a;b'])(
    '%j is no host',
    (text) => expect(() => parseAddress(text, '--host')).toThrow(/--host: expected HOST or HOST:PORT/),
  );

  test('one key, one more while it is changed, one again', () => {
    const address = parseAddress('box7', '--host');
    const one = withPinned('# mine\nbox8 x\n', address, { key: KEY, only: true });
    const two = withPinned(one, address, { key: OTHER, only: false });
    expect(pinnedKeys(two, address)).toEqual([KEY, OTHER]);
    expect(withPinned(two, address, { key: OTHER, only: false })).toBe(two);
    const again = withPinned(two, address, { key: OTHER, only: true });
    expect(pinnedKeys(again, address)).toEqual([OTHER]);
    expect(again).toContain('# mine\nbox8 x\n');
    expect(pinnedKeys(again, { host: 'box7', port: 7500 })).toEqual([]);
  });
});

/** Written apart from the code under test: by its specification, a digit at a time. */
function decodeZ85(text: string): number[] {
  const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 5) {
    let word = 0n;
    for (const digit of text.slice(at, at + 5)) word = word * 85n + BigInt(digits.indexOf(digit));
    for (const shift of [24n, 16n, 8n, 0n]) bytes.push(Number((word >> shift) & 255n));
  }
  return bytes;
}
