import type { ConnectionSite } from '../agent/client/connection.ts';
import { controllerFolder, knownAgentsFile } from '../agent/keys/config-path.ts';
import { keyFile, readKeyPair } from '../agent/keys/key-files.ts';
import { parseAddress, pinnedKeys } from '../agent/keys/known-agents.ts';
import { UsageError } from '../errors.ts';
import { readTrusted } from '../host/guarded-file.ts';

/** What is needed to talk to an agent, from this person's own files. Throws UsageError, FileExposed. */
export function readSite(named: string): ConnectionSite {
  const address = parseAddress(named, '--host');
  const file = keyFile(controllerFolder(process.env), 'controller');
  const keys = readKeyPair(file);
  if (keys === undefined) {
    throw new UsageError(`${named}: there is no key to ask agents with in ${file}.`, {
      next: ['`hft agent keygen --controller` makes one; `hft agent authorize` lets it in on a host.'],
    });
  }
  const knownFile = knownAgentsFile(process.env);
  return { address, keys, knownFile, pinned: pinnedKeys(readTrusted(knownFile) ?? '', address) };
}
