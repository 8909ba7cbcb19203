import type { HostReader } from '../host/host.ts';
import type { Nic } from '../topology/machine.ts';
import { findInterfaces, parseIpv4Routes, parseIpv6Routes, type Route } from '../topology/routes.ts';
import { type Connection, parseConnections } from '../topology/sessions.ts';

/** What of the network shows that this host can still be reached. */
export interface SessionFacts {
  /** Interfaces that are administratively up and have a carrier. */
  readonly carriers: readonly string[];
  /** Default routes as `interface gateway`. */
  readonly defaultRoutes: readonly string[];
  /** Established TCP connections from other hosts to a listening port of this one, through `interfaces`. */
  readonly inbound: readonly string[];
  /** The interfaces that the run changes, and those above them. Absent in journals of old: any interface. */
  readonly interfaces?: readonly string[];
}

/** Reads it for the interfaces that a run changes; for any when none are named. */
export async function readSession(reader: HostReader, interfaces?: readonly string[]): Promise<SessionFacts> {
  const names = (await reader.list('/sys/class/net')) ?? [];
  const carriers: string[] = [];
  for (const name of names) {
    if ((await readCarrier(reader, name)) === '1') carriers.push(name);
  }
  const [tcp, tcp6, route, route6] = await Promise.all(
    ['tcp', 'tcp6', 'route', 'ipv6_route'].map(async (name) => (await reader.readText(`/proc/net/${name}`)) ?? ''),
  );
  const routes = [...parseIpv4Routes(route as string), ...parseIpv6Routes(route6 as string)];
  const connections = [...parseConnections(tcp as string), ...parseConnections(tcp6 as string)];
  return {
    carriers,
    defaultRoutes: parseDefaultRoutes(route as string),
    inbound: findInbound(connections, routes, interfaces),
    ...(interfaces && { interfaces }),
  };
}

/** The interfaces themselves, and every bond, bridge or VLAN above them: a route names the uppermost. */
export function withUppers(names: readonly string[], nics: readonly Nic[]): readonly string[] {
  const reached = new Set(names);
  // A set that grows while it is iterated is iterated to its end.
  for (const name of reached)
    for (const upper of nics.find((nic) => nic.name === name)?.uppers ?? []) reached.add(upper);
  return [...reached];
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

/** /proc/net/route: destination and mask zero. */
export function parseDefaultRoutes(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [name, destination, gateway, , , , , mask] = line.split('\t');
    return destination === '00000000' && mask === '00000000' ? [`${name} ${gateway}`] : [];
  });
}

/**
 * Connections to a port that this host listens on, as `address:port address:port`. Those that prove nothing are left
 * out: the other end is on this host too (its end is in the table as well), or is reached through another interface (a
 * container behind a bridge).
 */
export function findInbound(
  connections: readonly Connection[],
  routes: readonly Route[],
  interfaces: readonly string[] | undefined,
): readonly string[] {
  const end = ({ address, port }: Connection['local']) => `${address}:${port}`;
  const listening = new Set(connections.filter(({ state }) => state === 'listening').map(({ local }) => local.port));
  const established = connections.filter(({ state }) => state === 'established');
  const ends = new Set(established.map(({ local, peer }) => `${end(local)} ${end(peer)}`));
  const isFromOutside = ({ local, peer }: Connection) => {
    if (ends.has(`${end(peer)} ${end(local)}`) || isLoopback(peer.address)) return false;
    return interfaces === undefined || findInterfaces(peer.address, routes).some((name) => interfaces.includes(name));
  };
  return established
    .filter((connection) => listening.has(connection.local.port) && isFromOutside(connection))
    .map(({ local, peer }) => `${end(local)} ${end(peer)}`);
}

/** 127.0.0.0/8 and ::1. */
function isLoopback(address: string): boolean {
  return address.length === 8 ? address.startsWith('7f') : /^0{31}1$/.test(address);
}
