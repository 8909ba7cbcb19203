import type { ConnectionSite } from '../agent/client/connection.ts';
import { controllerFolder, knownAgentsFile } from '../agent/keys/config-path.ts';
import { keyFile, readKeyPair } from '../agent/keys/key-files.ts';
import { pinnedKeys } from '../agent/keys/known-agents.ts';
import { UsageError } from '../errors.ts';
import { readTrusted } from '../host/guarded-file.ts';
import type { NamedHost } from './named-host.ts';

/** What is needed to talk to an agent, from this person's own files. Throws UsageError, FileExposed. */
export function readSite({ name, address, keys: given }: NamedHost): ConnectionSite {
  const file = keyFile(controllerFolder(process.env), 'controller');
  const keys = readKeyPair(file);
  if (keys === undefined) {
    throw new UsageError(`${name}: there is no key to ask agents with in ${file}.`, {
      next: ['`hft agent keygen --controller` makes one; `hft agent authorize` lets it in on a host.'],
    });
  }
  const knownFile = knownAgentsFile(process.env);
  const pinned = given.length > 0 ? given : pinnedKeys(readTrusted(knownFile) ?? '', address);
  return { address, keys, knownFile, pinned };
}
