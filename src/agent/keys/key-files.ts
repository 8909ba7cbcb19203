import { HftError, UsageError } from '../../errors.ts';
import { readSecret } from '../../host/guarded-file.ts';
import type { Host } from '../../host/host.ts';
import { type KeyPair, makeKeyPair, parseSecretKey, printPublicKey, printSecretKey } from './key-text.ts';

/** Whose key it is: an agent proves to controllers that it is that host, a controller to agents who asks. */
export type KeyOwner = 'agent' | 'controller';

const SECRET_MODE = 0o600;

export function keyFile(folder: string, owner: KeyOwner): string {
  return `${folder}/${owner}.key`;
}

/** The pair that is about to take the place of the one in use. */
export function nextKeyFile(folder: string, owner: KeyOwner): string {
  return `${folder}/${owner}.next.key`;
}

/** undefined when there is none. Throws FileExposed where others may read it, HftError where it holds no key. */
export function readKeyPair(file: string): KeyPair | undefined {
  const text = readSecret(file);
  if (text === undefined) return undefined;
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const pair = lines.length === 1 ? parseSecretKey((lines[0] as string).trim()) : undefined;
  if (pair !== undefined) return pair;
  // The text itself may be half a key: it is not shown.
  throw new HftError(`${file}: expected one secret key (hftkey_…), got something else.`, {
    next: ['Put the file back from where you keep it, or make a new key with `hft agent keygen`.'],
  });
}

/** Makes a pair where there is none. Throws UsageError where there is one: it may be all that opens some host. */
export async function makeKeyFile(host: Host, file: string, owner: KeyOwner): Promise<KeyPair> {
  if ((await host.readText(file)) !== undefined) {
    throw new UsageError(`There is a key in ${file} already; it was left as it is.`, {
      next: ['Keys are changed without an interruption by `hft agent keygen --next`, and `--promote` later.'],
    });
  }
  const pair = makeKeyPair();
  const head = `# Secret key of this hft ${owner}: keep it here, and to yourself. Public: ${printPublicKey(pair.publicKey)}`;
  await host.replaceFile(file, `${head}\n${printSecretKey(pair.secretKey)}\n`, SECRET_MODE);
  return pair;
}

/** Puts the next pair in the place of the one in use, which is gone then. Throws UsageError when there is no next one. */
export async function promoteKeyFile(host: Host, folder: string, owner: KeyOwner): Promise<KeyPair> {
  const next = nextKeyFile(folder, owner);
  const pair = readKeyPair(next);
  if (pair === undefined) {
    throw new UsageError(`There is no ${next} to promote.`, { next: ['`hft agent keygen --next` makes it.'] });
  }
  const text = readSecret(next) as string;
  await host.replaceFile(keyFile(folder, owner), text, SECRET_MODE);
  await host.removeFile(next);
  return pair;
}
