import { parseAddress, printAddress } from '../agent/keys/agent-address.ts';
import { type Controller, withController, withoutController } from '../agent/keys/authorized.ts';
import { agentFolder, authorizedFile, controllerFolder, knownAgentsFile } from '../agent/keys/config-path.ts';
import {
  type KeyOwner,
  keyFile,
  makeKeyFile,
  nextKeyFile,
  promoteKeyFile,
  readKeyPair,
} from '../agent/keys/key-files.ts';
import { type KeyPair, printPublicKey, requirePublicKey } from '../agent/keys/key-text.ts';
import { pinnedKeys, withoutPinned, withPinned } from '../agent/keys/known-agents.ts';
import type { Role } from '../agent/keys/roles.ts';
import { UsageError } from '../errors.ts';
import { readTrusted } from '../host/guarded-file.ts';
import { LocalHost } from '../host/local.ts';

export interface KeygenFlags {
  readonly controller: boolean;
  readonly next: boolean;
  readonly promote: boolean;
  readonly show: boolean;
}

export interface KeyAnswer {
  readonly owner: KeyOwner;
  readonly file: string;
  readonly publicKey: string;
  readonly done: 'made' | 'promoted' | 'shown';
}

/** Makes, changes or shows a key. The secret stays in its file. */
export async function keygen({ controller, next, promote, show }: KeygenFlags): Promise<KeyAnswer> {
  const owner = controller ? 'controller' : 'agent';
  const folder = controller ? controllerFolder(process.env) : agentFolder(process.env);
  const file = next ? nextKeyFile(folder, owner) : keyFile(folder, owner);
  const host = new LocalHost();
  const answer = (keys: KeyPair, done: KeyAnswer['done']) =>
    ({ owner, file, publicKey: printPublicKey(keys.publicKey), done }) as const;
  if (promote) return answer(await promoteKeyFile(host, folder, owner), 'promoted');
  if (!show) return answer(await makeKeyFile(host, file, owner), 'made');
  const keys = readKeyPair(file);
  if (keys !== undefined) return answer(keys, 'shown');
  throw new UsageError(`There is no key in ${file}.`, { next: ['`hft agent keygen` makes one.'] });
}

export interface Authorized {
  readonly file: string;
  readonly role: Role | null;
  readonly name: string | null;
  readonly key: string;
}

/** Lets a controller in, with a role; without one it is let in no more. In force at once. */
export async function authorize(key: string, as: Pick<Controller, 'role' | 'name'> | undefined): Promise<Authorized> {
  const file = authorizedFile(process.env);
  const publicKey = requirePublicKey(key, 'KEY');
  // A line feed in it would be a line of its own, with a role of its own.
  if (as !== undefined && !/^[^\p{Cc}]{1,100}$/u.test(as.name))
    throw new UsageError(
      `--name: expected up to 100 characters in one line, got ${JSON.stringify(as.name.slice(0, 60))}.`,
    );
  const text = readTrusted(file) ?? '';
  const changed = as ? withController(text, { ...as, key: publicKey }) : withoutController(text, publicKey);
  if (as === undefined && changed === text)
    throw new UsageError(`${file}: nobody has this key.`, { next: ['It lets nobody in as it is.'] });
  await new LocalHost().replaceFile(file, changed, 0o644);
  return { file, key, role: as?.role ?? null, name: as?.name ?? null };
}

export interface Trusted {
  readonly file: string;
  readonly host: string;
  readonly keys: readonly string[];
}

/** Pins the key of a host's agent: nothing else is talked to under its name. */
export async function trust(host: string, key: string, { add }: { readonly add: boolean }): Promise<Trusted> {
  const file = knownAgentsFile(process.env);
  const address = parseAddress(host, 'HOST');
  const text = withPinned(readTrusted(file) ?? '', address, { key: requirePublicKey(key, 'KEY'), only: !add });
  await new LocalHost().replaceFile(file, text, 0o644);
  return { file, host: printAddress(address), keys: pinnedKeys(text, address).map(printPublicKey) };
}

/** Forgets the keys of a host's agent. False when none was known. */
export async function distrust(host: string): Promise<boolean> {
  const file = knownAgentsFile(process.env);
  const text = readTrusted(file) ?? '';
  const left = withoutPinned(text, parseAddress(host, 'HOST'));
  if (left === text) return false;
  await new LocalHost().replaceFile(file, left, 0o644);
  return true;
}
