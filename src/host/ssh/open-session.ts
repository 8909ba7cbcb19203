import fs from 'node:fs';
import { KnownHosts } from './known-hosts.ts';
import { offeredKeys, openNodeSession } from './node-session.ts';
import type { SshDestination, SshSession } from './session.ts';
import { readSettings, type SshSettings } from './settings.ts';
import { LoginRefused } from './ssh-error.ts';
import { openSystemSession } from './system-session.ts';

/**
 * A session with a host, as the user's own ssh would have it, but never with an unknown host key, and never with a question. node-ssh
 * carries it; what is beyond it (docs/decisions/0025) the system's ssh does. Throws SshError.
 */
export async function openSession(destination: SshDestination): Promise<SshSession> {
  const settings = await readSettings(destination);
  const known = readKnownHosts(settings);
  if (needsSystem(settings, known)) return openSystemSession(destination, settings);
  try {
    return await openNodeSession(destination, settings, known);
  } catch (error) {
    if (!(error instanceof LoginRefused)) throw error;
    return openSystemSession(destination, settings);
  }
}

function readKnownHosts({ knownHostsFiles, hostKeyAlias, hostname, port }: SshSettings): KnownHosts {
  const texts = knownHostsFiles.map((file) => readIfThere(file) ?? '');
  return new KnownHosts(
    texts,
    hostKeyAlias === undefined ? { name: hostname, port } : { name: hostKeyAlias, port: 22 },
  );
}

/** Certificates of users and of hosts, keys in hardware, commands instead of sockets. */
function needsSystem(settings: SshSettings, known: KnownHosts): boolean {
  const { beyond, certificateFiles, identityFiles } = settings;
  if (beyond.length > 0 || certificateFiles.length > 0) return true;
  if (known.hasAuthority) return true;
  if (known.types.length > 0 && offeredKeys(known.types).length === 0) return true;
  return identityFiles.some(
    (file) => fs.existsSync(`${file}-cert.pub`) || (readIfThere(`${file}.pub`) ?? '').startsWith('sk-'),
  );
}

function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    // Another user's, or not there: ssh passes over it too.
    return undefined;
  }
}
