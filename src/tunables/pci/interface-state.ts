import { HostError } from '../../errors.ts';
import type { Host, HostReader } from '../../host/host.ts';
import { GROUPS } from '../ethtool/groups.ts';
import { showEthtool } from '../ethtool/query.ts';
import { ethtoolKind } from '../ethtool.ts';
import type { EthtoolGroup, InterfaceState } from '../tunable.ts';
import { parseAddresses, parseNeighbours, parseRoutes } from './ip-json.ts';
import { listQueueLacking, readQueueState, restoreQueueState, tryTo } from './queue-state.ts';

const NET = '/sys/class/net';

/** <linux/if.h> */
const IFF_UP = 0x1;

/** In this order: other queues come with rings of their own, and these take the link down, which an MTU change does too. */
const ORDER: readonly Exclude<EthtoolGroup, 'rss'>[] = [
  'channels',
  'ring',
  'pause',
  'private-flag',
  'eee',
  'feature',
  'coalesce',
];

/**
 * What an interface has that its driver forgets: undefined when there is no such interface. Throws HostError when `ip`
 * does not tell its addresses or routes: then nobody could put them back.
 */
export async function readInterfaceState(reader: HostReader, name: string): Promise<InterfaceState | undefined> {
  const flags = await reader.readText(`${NET}/${name}/flags`);
  const mtu = await reader.readText(`${NET}/${name}/mtu`);
  if (flags === undefined || mtu === undefined) return undefined;
  const ethtool: Record<string, Record<string, string>> = {};
  for (const group of ORDER) {
    const { show: option, parse } = GROUPS[group];
    const shown = await showEthtool(reader, { option, device: name, parse });
    if (!shown.ok) continue;
    const set = [...shown.output].flatMap(([key, { value, isFixed }]) =>
      value === undefined || isFixed ? [] : [[key, value] as const],
    );
    if (set.length > 0) ethtool[group] = withoutNegotiated(group, Object.fromEntries(set));
  }
  const rss = await ethtoolKind.read(reader, { kind: 'ethtool', device: name, group: 'rss', key: 'indirection' });
  if (rss.status === 'value' && rss.value !== null) ethtool.rss = { indirection: rss.value };
  return {
    name,
    up: (Number(flags.trim()) & IFF_UP) !== 0,
    mtu: Number(mtu.trim()),
    addresses: parseAddresses(await ask(reader, ['ip', '-j', 'addr', 'show', 'dev', name])),
    routes: [
      ...parseRoutes(await ask(reader, ['ip', '-j', '-4', 'route', 'show', 'dev', name])),
      ...parseRoutes(await ask(reader, ['ip', '-j', '-6', 'route', 'show', 'dev', name])),
    ],
    neighbours: parseNeighbours(await ask(reader, ['ip', '-j', 'neigh', 'show', 'dev', name, 'nud', 'permanent'])),
    ethtool,
    queues: await readQueueState(reader, name),
  };
}

/** With negotiation, rx and tx are what came of it: a link that is just coming up says something else. */
function withoutNegotiated(group: EthtoolGroup, values: Record<string, string>): Record<string, string> {
  return group === 'pause' && values.autoneg === 'on' ? { autoneg: 'on' } : values;
}

async function ask(reader: HostReader, argv: readonly string[]): Promise<string> {
  const shown = await reader.query(argv);
  if (!shown.found) throw new HostError('run', 'ip', 'ENOENT');
  if (shown.exitCode !== 0) throw new HostError('run', argv.join(' '), 'EINVAL');
  return shown.stdout;
}

/** What an interface lacks of what it had, for people; empty when all is there. More than it had is nobody's loss. */
export function listLacking(had: InterfaceState, now: InterfaceState | undefined): readonly string[] {
  if (now === undefined) return [`interface ${had.name}`];
  const ethtool = Object.entries(had.ethtool).flatMap(([group, values]) =>
    Object.entries(values).flatMap(([key, value]) =>
      now.ethtool[group]?.[key] === value ? [] : [`${group} ${key} ${value}`],
    ),
  );
  return [
    ...(had.up && !now.up ? ['up'] : []),
    ...(had.mtu === now.mtu ? [] : [`mtu ${had.mtu}`]),
    ...had.addresses.filter((address) => !now.addresses.includes(address)).map((address) => `address ${address}`),
    ...had.routes.filter((route) => !now.routes.includes(route)).map((route) => `route ${route}`),
    ...lackingNeighbours(had, now).map((neighbour) => `neighbour ${neighbour}`),
    ...ethtool,
    ...(had.queues === undefined || now.queues === undefined ? [] : listQueueLacking(had.queues, now.queues)),
  ];
}

function lackingNeighbours({ neighbours = [] }: InterfaceState, now: InterfaceState): readonly string[] {
  return neighbours.filter((neighbour) => !now.neighbours?.includes(neighbour));
}

/** Puts back what the interface lacks. Every command is tried: reading back tells which of them took. */
export async function restoreInterface(host: Host, had: InterfaceState): Promise<void> {
  const { name } = had;
  for (const group of [...ORDER, 'rss'] as const) {
    const wanted = had.ethtool[group];
    const now = (await readInterfaceState(host, name))?.ethtool[group];
    const due = Object.entries(wanted ?? {}).filter(([key, value]) => now?.[key] !== value);
    if (due.length === 0) continue;
    const writes = due.map(([key, value]) => ({
      tunable: { kind: 'ethtool', device: name, group, key } as const,
      value,
    }));
    await tryTo(() => ethtoolKind.write(host, writes));
  }
  const now = await readInterfaceState(host, name);
  if (now === undefined) return;
  if (now.mtu !== had.mtu) await tryTo(() => host.writeText(`${NET}/${name}/mtu`, String(had.mtu)));
  if (now.up !== had.up) await host.execute(['ip', 'link', 'set', 'dev', name, had.up ? 'up' : 'down']);
  if (had.queues !== undefined) await restoreQueueState(host, name, had.queues);
  for (const address of had.addresses) await host.execute(['ip', 'addr', 'replace', address, 'dev', name]);
  for (const route of had.routes) await host.execute(replaceRoute(route, name));
  for (const neighbour of lackingNeighbours(had, now))
    await host.execute(['ip', 'neigh', 'replace', ...neighbour.split(' '), 'dev', name, 'nud', 'permanent']);
}

/** `10.9.0.0/16 via 10.80.0.254 proto static`: the device goes after the gateway. */
function replaceRoute(route: string, name: string): readonly string[] {
  const [destination = '', ...rest] = route.split(' ');
  const gateway = rest[0] === 'via' ? rest.slice(0, 2) : [];
  return ['ip', 'route', 'replace', destination, ...gateway, 'dev', name, ...rest.slice(gateway.length)];
}
