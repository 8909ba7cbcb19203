import type { Authorized, KeyAnswer, Trusted } from '../cli/agent-keys.ts';
import { type Terminal, wrap } from './terminal.ts';

/** The public key alone on its line: it is copied. */
export function viewKey({ owner, file, publicKey, done }: KeyAnswer, terminal: Terminal): string {
  return [publicKey, ...wrap(sayNext(owner, file, done), terminal.columns).split('\n')].join('\n');
}

function sayNext(owner: KeyAnswer['owner'], file: string, done: KeyAnswer['done']): string {
  if (done === 'shown') return `The public key of ${file}.`;
  if (done === 'promoted')
    return owner === 'agent'
      ? 'It is the key of this host now. A running agent takes it at `systemctl reload hft-agent`. Controllers can forget the old one.'
      : 'It is the key with which you ask from now on. Let the old one in no more: `hft agent authorize KEY --revoke`.';
  const secret = `The secret is in ${file}, for its owner alone.`;
  return owner === 'agent'
    ? `${secret} Who controls this host runs \`hft agent trust\` with its name and this key.`
    : `${secret} On each host: \`hft agent authorize\` with this key, a role and your name.`;
}

export function viewAuthorized({ file, role, name }: Authorized, terminal: Terminal): string {
  const text =
    role === null
      ? `It lets nobody in any more, from the next request on (${file}).`
      : `${name} is let in as ${role}, from now on (${file}).`;
  return wrap(text, terminal.columns);
}

export function viewTrusted({ file, host, keys }: Trusted, terminal: Terminal): string {
  const which = keys.length === 1 ? 'this key' : `one of ${keys.length} keys`;
  return wrap(`The agent of ${host} must have ${which} (${file}).`, terminal.columns);
}
