import { UsageError } from '../errors.ts';
import { findAddress } from '../host/host-name.ts';
import type { Servers } from '../latency/probe/probe.ts';

/** The flags that name a server, by probe. */
export interface ServerFlags {
  readonly redis?: string | undefined;
  readonly memcached?: string | undefined;
  readonly peer?: string | undefined;
  readonly probe?: readonly string[] | undefined;
}

/** Where a responder listens unless somebody says otherwise. */
export const RESPONDER_PORT = 17_707;

function namedServers({ redis, memcached, peer }: ServerFlags) {
  const flags = [
    { flag: 'redis', probe: 'redis', text: redis, what: 'a server' },
    { flag: 'memcached', probe: 'memcached', text: memcached, what: 'a server' },
    { flag: 'peer', probe: 'network', text: peer, what: 'a peer' },
  ];
  return flags.flatMap(({ text, ...flag }) => (text === undefined ? [] : [{ ...flag, text }]));
}

/** Throws UsageError for a server that nothing is to be measured with. */
export function requireServersAsked(flags: ServerFlags): void {
  for (const { flag, probe: its, what } of namedServers(flags)) {
    if (flags.probe === undefined || flags.probe.includes(its)) continue;
    throw new UsageError(`--${flag} names ${what}, and --probe leaves ${its} out.`, {
      next: [`Add --probe ${its}, or leave --${flag} out.`],
    });
  }
}

/** The servers that a person named, as hft-probe wants them. Throws UsageError: a wrong address, a name that nobody knows. */
export async function readServers(flags: ServerFlags): Promise<Servers> {
  requireServersAsked(flags);
  const servers = await Promise.all(
    namedServers(flags).map(async ({ flag, probe: its, text }) => {
      const address = flag === 'peer' ? resolvePlace(flag, text) : resolveAddress(flag, text);
      return [its, await address] as const;
    }),
  );
  return Object.fromEntries(servers);
}

const SOCKET = /^unix:(?<path>\/[^"\\\p{Cc}]+)$/u;
const HOST_AND_PORT = /^(?:\[(?<v6>[0-9a-fA-F:]+)\]|(?<host>[^\s:[\]/"\\]+)):(?<port>\d{1,5})$/;
const HOST_ALONE = /^(?:\[[0-9a-fA-F:]+\]|[^\s:[\]/"\\]+)$/;

async function resolveAddress(flag: string, text: string): Promise<string> {
  if (SOCKET.test(text)) return text;
  return resolveHost(flag, text, 'unix:/path, HOST:PORT or [IPv6]:PORT');
}

/** `10.0.0.7`, `[fd00::7]:17707`, `trade2`: as numbers, with a port. Throws UsageError. */
export async function resolvePlace(flag: string, text: string): Promise<string> {
  return resolveHost(flag, HOST_ALONE.test(text) ? `${text}:${RESPONDER_PORT}` : text, 'HOST[:PORT] or [IPv6][:PORT]');
}

async function resolveHost(flag: string, text: string, expected: string): Promise<string> {
  const { v6, host, port } = HOST_AND_PORT.exec(text)?.groups ?? {};
  const isPort = port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
  if (!isPort) throw new UsageError(`--${flag}: expected ${expected}, got ${text}`);
  const address = v6 ?? (await findAddress(host as string));
  if (address === undefined) throw new UsageError(`--${flag}: the host ${host} is not known`);
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
