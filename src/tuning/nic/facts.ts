import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import type { Machine } from '../../topology/machine.ts';
import { type Feature, parseFeatures } from '../../tunables/ethtool/features.ts';
import { GROUPS } from '../../tunables/ethtool/groups.ts';
import type { Indirection } from '../../tunables/ethtool/indirection.ts';
import type { Parameters } from '../../tunables/ethtool/output.ts';
import { type Shown, showEthtool } from '../../tunables/ethtool/query.ts';
import { showIndirection } from '../../tunables/ethtool/rss.ts';
import { parseRootQdisc, type RootQdisc } from '../../tunables/link.ts';
import { observeWhole } from '../knobs/directories.ts';
import { readXdpFeatures, type XdpFeatures } from './xdp-features.ts';

/** What decisions about a NIC need to know beyond the value of one parameter. */
export interface NicFacts {
  readonly channels: Shown<Parameters>;
  readonly rings: Shown<Parameters>;
  readonly features: Shown<ReadonlyMap<string, Feature>>;
  readonly indirection: Shown<Indirection>;
  /** bytes; undefined when `ip` does not say. */
  readonly maxMtu: number | undefined;
  readonly qdisc: RootQdisc | undefined;
  readonly xdp: XdpFeatures;
  /** The bond, team or bridge that the interface is a part of. */
  readonly master: string | undefined;
  /** `rx-0`, `tx-0` … as /sys/class/net/X/queues has them now. */
  readonly queues: readonly string[];
}

export interface Facts {
  /** false: a capture that does not hold everything. */
  readonly isWhole: boolean;
  /** By interface name. Virtual interfaces have none: what is wanted for one by name is compared and set as it stands. */
  readonly nics: Readonly<Record<string, NicFacts>>;
}

export async function observeNics(host: HostReader, machine: Machine): Promise<Facts> {
  const physical = machine.nics.filter((nic) => nic.physical);
  const facts = await Promise.all(physical.map(async ({ name }) => [name, await observeNic(host, name)] as const));
  return { isWhole: await observeWhole(host), nics: Object.fromEntries(facts) };
}

async function observeNic(host: HostReader, device: string): Promise<NicFacts> {
  const { channels, ring } = GROUPS;
  return {
    channels: await showEthtool(host, { option: channels.show, device, parse: channels.parse }),
    rings: await showEthtool(host, { option: ring.show, device, parse: ring.parse }),
    features: await showEthtool(host, { option: '-k', device, parse: parseFeatures }),
    indirection: await showIndirection(host, device),
    maxMtu: await readMaxMtu(host, device),
    qdisc: await readRootQdisc(host, device),
    xdp: await readXdpFeatures(host, device),
    master: (await host.readLink(`/sys/class/net/${device}/master`))?.split('/').at(-1),
    queues: (await host.list(`/sys/class/net/${device}/queues`)) ?? [],
  };
}

async function readMaxMtu(host: HostReader, device: string): Promise<number | undefined> {
  return parseMaxMtu(await ask(host, ['ip', '-d', '-j', 'link', 'show', 'dev', device]));
}

async function readRootQdisc(host: HostReader, device: string): Promise<RootQdisc | undefined> {
  return parseRootQdisc(await ask(host, ['tc', '-j', 'qdisc', 'show', 'dev', device, 'root']));
}

/** What a command prints; nothing when it cannot be had. */
async function ask(host: HostReader, argv: readonly string[]): Promise<string> {
  try {
    const shown = await host.query(argv);
    return shown.found ? shown.stdout : '';
  } catch (error) {
    if (error instanceof HostError) return '';
    throw error;
  }
}

/** The `max_mtu` of `ip -d -j link show dev X`, bytes. Undefined for anything else, and for 0, which is no limit. */
export function parseMaxMtu(text: string): number | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const limit: unknown = Array.isArray(parsed) ? parsed[0]?.max_mtu : undefined;
    return typeof limit === 'number' && limit > 0 ? limit : undefined;
  } catch {
    return undefined;
  }
}
