import { UsageError } from '../errors.ts';
import { findAddress } from '../host/host-name.ts';
import type { Servers } from '../latency/probe/probe.ts';

/** The flags that name a server, by probe. */
export interface ServerFlags {
  readonly redis?: string | undefined;
  readonly memcached?: string | undefined;
  readonly probe?: readonly string[] | undefined;
}

/** The servers that a person named, as hft-probe wants them. Throws UsageError: a wrong address, a name that nobody knows. */
export async function readServers({ redis, memcached, probe }: ServerFlags): Promise<Servers> {
  const named = Object.entries({ redis, memcached }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  for (const [name] of named) {
    if (probe === undefined || probe.includes(name)) continue;
    throw new UsageError(`--${name} names a server, and --probe leaves ${name} out.`, {
      next: [`Add --probe ${name}, or leave --${name} out.`],
    });
  }
  const servers = await Promise.all(
    named.map(async ([name, address]) => [name, await resolveAddress(name, address)] as const),
  );
  return Object.fromEntries(servers);
}

const SOCKET = /^unix:(?<path>\/[^"\\\p{Cc}]+)$/u;
const HOST_AND_PORT = /^(?:\[(?<v6>[0-9a-fA-F:]+)\]|(?<host>[^\s:[\]/"\\]+)):(?<port>\d{1,5})$/;

async function resolveAddress(name: string, text: string): Promise<string> {
  if (SOCKET.test(text)) return text;
  const { v6, host, port } = HOST_AND_PORT.exec(text)?.groups ?? {};
  const isPort = port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
  if (!isPort) {
    throw new UsageError(`--${name}: expected unix:/path, HOST:PORT or [IPv6]:PORT, got ${text}`);
  }
  const address = v6 ?? (await findAddress(host as string));
  if (address === undefined) throw new UsageError(`--${name}: the host ${host} is not known`);
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
