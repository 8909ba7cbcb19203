import type { HostReader } from '../host/host.ts';

/** What of the network shows that this host can still be reached. */
export interface SessionFacts {
  /** Interfaces that are administratively up and have a carrier. */
  readonly carriers: readonly string[];
  /** Default routes as `interface gateway`. */
  readonly defaultRoutes: readonly string[];
  /** Established TCP connections to a listening port of this host, as `local remote` in the kernel's hex. */
  readonly inbound: readonly string[];
}

export async function readSession(reader: HostReader): Promise<SessionFacts> {
  const names = (await reader.list('/sys/class/net')) ?? [];
  const carriers: string[] = [];
  for (const name of names) {
    if ((await readCarrier(reader, name)) === '1') carriers.push(name);
  }
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => reader.readText(path)));
  return {
    carriers,
    defaultRoutes: parseDefaultRoutes((await reader.readText('/proc/net/route')) ?? ''),
    inbound: tables.flatMap((table) => parseInbound(table ?? '')),
  };
}

/** Reading `carrier` of an interface that is down is EINVAL: no carrier. */
async function readCarrier(reader: HostReader, name: string): Promise<string> {
  try {
    return (await reader.readText(`/sys/class/net/${name}/carrier`))?.trim() ?? '0';
  } catch {
    return '0';
  }
}

/**
 * Proof that the host was not lost: every carrier and default route of before is there, and somebody came in anew
 * (a fresh connection; the old one can look established long after its link is gone).
 */
export function isReachableAgain(before: SessionFacts, now: SessionFacts): boolean {
  const keeps = (old: readonly string[], current: readonly string[]) => old.every((each) => current.includes(each));
  const isFresh = now.inbound.some((connection) => !before.inbound.includes(connection));
  return keeps(before.carriers, now.carriers) && keeps(before.defaultRoutes, now.defaultRoutes) && isFresh;
}

/** /proc/net/route: destination and mask zero. https://docs.kernel.org/networking/proc_net_tcp.html for the hex. */
export function parseDefaultRoutes(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [name, destination, gateway, , , , , mask] = line.split('\t');
    return destination === '00000000' && mask === '00000000' ? [`${name} ${gateway}`] : [];
  });
}

/** /proc/net/tcp: state 0A listens, 01 is established. */
export function parseInbound(text: string): readonly string[] {
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/));
  const port = (address: string | undefined) => address?.split(':')[1];
  const listening = new Set(rows.filter((row) => row[3] === '0A').map((row) => port(row[1])));
  return rows.filter((row) => row[3] === '01' && listening.has(port(row[1]))).map((row) => `${row[1]} ${row[2]}`);
}
