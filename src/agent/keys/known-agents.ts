import { UsageError } from '../../errors.ts';
import { parsePublicKey, printPublicKey } from './key-text.ts';

/** Where the agents of hosts listen unless something else is said: no assignment of IANA. */
export const AGENT_PORT = 7411;

/** Where an agent listens. */
export interface AgentAddress {
  readonly host: string;
  readonly port: number;
}

/** `box7`, `box7:7500`, `[2001:db8::7]:7500`. Throws UsageError; `where` is what it was given as. */
export function parseAddress(text: string, where: string): AgentAddress {
  const match =
    /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?))(?::(?<port>\d{1,5}))?$/.exec(
      text,
    );
  const port = Number(match?.groups?.port ?? AGENT_PORT);
  const host = match?.groups?.six ?? match?.groups?.name;
  if (host !== undefined && port > 0 && port < 65_536) return { host, port };
  throw new UsageError(`${where}: expected HOST or HOST:PORT ([ADDRESS]:PORT for IPv6), got ${JSON.stringify(text)}.`);
}

export function printAddress({ host, port }: AgentAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === AGENT_PORT ? name : `${name}:${port}`;
}

/** The keys that are pinned for an agent, in the order in which they are tried: two while its key is changed. */
export function pinnedKeys(text: string, address: AgentAddress): readonly string[] {
  const name = printAddress(address);
  return parseLines(text).flatMap((line) => (line.name === name ? [line.key] : []));
}

interface Line {
  readonly name: string;
  readonly key: string;
}

/** Lines `HOST[:PORT] KEY`; what is none pins nothing. */
function parseLines(text: string): readonly Line[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', key = ''] = line.trim().split(/\s+/);
    const publicKey = parsePublicKey(key);
    return name === '' || name.startsWith('#') || publicKey === undefined ? [] : [{ name, key: publicKey }];
  });
}

/** The text with a key more for an agent, tried after those it has; without the others when it is to be the only one. */
export function withPinned(
  text: string,
  address: AgentAddress,
  pin: { readonly key: string; readonly only: boolean },
): string {
  if (!pin.only && pinnedKeys(text, address).includes(pin.key)) return text;
  const name = printAddress(address);
  const kept = pin.only ? text.split('\n').filter((line) => line.trim().split(/\s+/)[0] !== name) : text.split('\n');
  return `${kept.join('\n').replace(/\n*$/, '\n').replace(/^\n$/, '')}${name} ${printPublicKey(pin.key)}\n`;
}
