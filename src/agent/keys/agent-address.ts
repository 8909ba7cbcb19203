import { UsageError } from '../../errors.ts';

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
