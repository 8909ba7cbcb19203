import type { HostReader } from '../host/host.ts';
import { readValue } from './kernel-file.ts';
import type { NicHardware } from './nics.ts';
import {
  type Address,
  findInterfaces,
  isDefaultRoute,
  parseIpv4Routes,
  parseIpv6Routes,
  type Route,
  reverseBytes,
} from './routes.ts';

export interface Session {
  readonly local: Address;
  readonly peer: Address;
}

/** One end of a TCP connection. */
export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

export interface Connection {
  readonly local: Endpoint;
  readonly peer: Endpoint;
  readonly state: 'established' | 'listening' | 'other';
}

const SSH_PORT = 22;
/** <net/tcp_states.h> */
const STATES: Readonly<Record<string, Connection['state']>> = { '01': 'established', '0A': 'listening' };

/**
 * Parses /proc/net/tcp or tcp6. https://docs.kernel.org/networking/proc_net_tcp.html
 * IPv4 connections of an IPv6 socket (::ffff:a.b.c.d) count as IPv4. Little-endian hosts.
 */
export function parseConnections(text: string): readonly Connection[] {
  return text.split('\n').flatMap((line) => {
    const [, local, peer, state] = line.trim().split(/\s+/);
    const [here, there] = [local, peer].map(parseEndpoint);
    return here && there ? [{ local: here, peer: there, state: STATES[(state ?? '').toUpperCase()] ?? 'other' }] : [];
  });
}

function parseEndpoint(text: string | undefined): Endpoint | undefined {
  const match = /^([0-9A-F]+):([0-9A-F]{4})$/i.exec(text ?? '');
  return match
    ? { address: parseProcAddress(match[1] as string), port: Number.parseInt(match[2] as string, 16) }
    : undefined;
}

/** The established SSH sessions of /proc/net/tcp or tcp6. */
export function parseSessions(text: string, port = SSH_PORT): readonly Session[] {
  return parseConnections(text)
    .filter(({ local, state }) => state === 'established' && local.port === port)
    .map(({ local, peer }) => ({ local: local.address, peer: peer.address }));
}

function parseProcAddress(words: string): Address {
  const address = (words.match(/.{8}/g) ?? []).map(reverseBytes).join('');
  return address.startsWith('00000000000000000000ffff') ? address.slice(24) : address;
}

/** $SSH_CONNECTION: `peer port local port`. Only IPv4 and full IPv6 text; undefined for anything else. */
export function parseSshConnection(text: string): Session | undefined {
  const [peer, , local] = text.trim().split(/\s+/).map(parseTextAddress);
  return peer && local ? { peer, local } : undefined;
}

function parseTextAddress(text: string): Address | undefined {
  const bytes = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)?.slice(1).map(Number);
  if (bytes?.every((byte) => byte < 256)) return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const halves = text.replace(/%.*$/, '').toLowerCase().split('::');
  if (!text.includes(':') || halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  const groups = halves.length === 2 ? [...head, ...zeros, ...tail] : head;
  const isAddress = groups.length === 8 && groups.every((group) => /^[0-9a-f]{1,4}$/.test(group));
  return isAddress ? groups.map((group) => group.padStart(4, '0')).join('') : undefined;
}

/**
 * The interfaces that a remote session depends on: those of the default routes, of the address that an SSH session
 * comes in at and of the route back to its peer, and everything below them (members of a bond or bridge, the device of
 * a VLAN). More rather than fewer: what is in the set is changed with a confirmation only.
 */
export async function readSessionInterfaces(
  reader: HostReader,
  nics: readonly NicHardware[],
  sshConnection: string | undefined,
): Promise<ReadonlySet<string>> {
  const [route, route6, tcp, tcp6, addresses6] = await Promise.all(
    ['route', 'ipv6_route', 'tcp', 'tcp6', 'if_inet6'].map(
      async (name) => (await readValue(reader, `/proc/net/${name}`)) ?? '',
    ),
  );
  const routes = [...parseIpv4Routes(route as string), ...parseIpv6Routes(route6 as string)];
  const own = sshConnection === undefined ? undefined : parseSshConnection(sshConnection);
  const sessions = [...parseSessions(tcp as string), ...parseSessions(tcp6 as string), ...(own ? [own] : [])];
  const carrying = new Set(routes.filter(isDefaultRoute).map((each) => each.interface));
  for (const session of sessions) {
    for (const name of carriers(session, routes, addresses6 as string)) carrying.add(name);
  }
  return spreadDown(carrying, nics);
}

function carriers({ local, peer }: Session, routes: readonly Route[], addresses6: string): readonly string[] {
  const connected = routes.filter((route) => route.onLink && route.prefixBits > 0);
  const owners = addresses6.split('\n').filter((line) => line.toLowerCase().startsWith(local));
  return [
    ...findInterfaces(local, connected),
    ...findInterfaces(peer, routes),
    ...(local.length === 32 ? owners.map((line) => line.trim().split(/\s+/).at(-1) as string) : []),
  ];
}

/** Ports of one Open vSwitch hang below `ovs-system`, not below the bridge that has the address. */
const OPEN_VSWITCH = 'ovs-system';

function spreadDown(carrying: ReadonlySet<string>, nics: readonly NicHardware[]): ReadonlySet<string> {
  const reached = new Set(carrying);
  const byName = new Map(nics.map((nic) => [nic.name, nic]));
  // A set that grows while it is iterated is iterated to its end.
  for (const name of reached) {
    const nic = byName.get(name);
    for (const lower of nic?.lowers ?? []) reached.add(lower);
    for (const other of nics) if (other.uppers.includes(name)) reached.add(other.name);
    if (nic?.uppers.includes(OPEN_VSWITCH)) reached.add(OPEN_VSWITCH);
  }
  return reached;
}
