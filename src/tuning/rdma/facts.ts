import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { readNames, readValue } from '../../topology/kernel-file.ts';
import { findActiveMtu } from '../../tunables/rdma/active-mtu.ts';
import type { Reading } from '../../tunables/tunable.ts';
import { observeWhole } from '../knobs/directories.ts';

/** A port of an RDMA device. */
export interface RdmaLink {
  readonly device: string;
  readonly port: number;
  readonly state: string;
  /** The interface below it; undefined: InfiniBand. */
  readonly interface: string | undefined;
}

export interface RdmaFacts {
  readonly isWhole: boolean;
  /** As /sys/class/infiniband has them. */
  readonly devices: readonly string[];
  /** undefined: rdma(8) does not say. */
  readonly links: readonly RdmaLink[] | undefined;
  /** By `device/port`. */
  readonly activeMtus: Readonly<Record<string, Reading>>;
  /** By interface: bytes. */
  readonly mtus: Readonly<Record<string, string | undefined>>;
}

export async function observeRdma(host: HostReader): Promise<RdmaFacts> {
  const devices = await readNames(host, '/sys/class/infiniband');
  const links = devices.length === 0 ? [] : await readLinks(host);
  const activeMtus: Record<string, Reading> = {};
  const mtus: Record<string, string | undefined> = {};
  for (const link of links ?? []) {
    activeMtus[`${link.device}/${link.port}`] = await findActiveMtu(host, link);
    if (link.interface !== undefined)
      mtus[link.interface] = await readValue(host, `/sys/class/net/${link.interface}/mtu`);
  }
  return { isWhole: await observeWhole(host), devices, links, activeMtus, mtus };
}

async function readLinks(host: HostReader): Promise<readonly RdmaLink[] | undefined> {
  try {
    const shown = await host.query(['rdma', '-j', 'link', 'show']);
    return shown.found ? parseLinks(shown.stdout) : undefined;
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** Parses `rdma -j link show`; undefined for anything else. Ports that lack a name, number or state are no list at all. */
export function parseLinks(text: string): readonly RdmaLink[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  const links = parsed.map((entry: unknown): RdmaLink | undefined => {
    if (typeof entry !== 'object' || entry === null) return undefined;
    const { ifname, port, state, netdev } = entry as Record<string, unknown>;
    if (typeof ifname !== 'string' || !Number.isSafeInteger(port) || typeof state !== 'string') return undefined;
    return { device: ifname, port: port as number, state, interface: typeof netdev === 'string' ? netdev : undefined };
  });
  return links.includes(undefined) ? undefined : (links as RdmaLink[]);
}
