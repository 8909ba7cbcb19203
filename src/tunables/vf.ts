import { HostError } from '../errors.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { VfTunable } from './tunable.ts';

/** A setting of a virtual function, through its physical one. ip-link(8). Gone with the functions, hence with the power. */
export const vfKind: TunableKind<VfTunable> = {
  persistent: false,
  async read(reader, { device, vf, attribute }) {
    const where = `ip -j link show dev ${device}: vf ${vf}`;
    try {
      const shown = await reader.query(['ip', '-j', 'link', 'show', 'dev', device]);
      if (!shown.found) return { status: 'unreadable', code: 'ENOENT', evidence: `${where}: ip is not installed` };
      const functions = parseVfs(shown.stdout);
      if (functions === undefined)
        return { status: 'unreadable', code: 'EINVAL', evidence: `${where}: not ip's output` };
      const value = functions.get(vf)?.[attribute];
      if (value === undefined) return { status: 'missing', evidence: `${where}: says nothing of ${attribute}` };
      return { status: 'value', value, evidence: `${where}: ${attribute} ${value}` };
    } catch (error) {
      return unreadable(error, where);
    }
  },
  canonical: (_tunable, value) => value.trim().toLowerCase(),
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) throw new HostError('remove', `${tunable.device} vf ${tunable.vf}`, 'EINVAL');
      const { device, vf, attribute } = tunable;
      const done = await host.execute(['ip', 'link', 'set', 'dev', device, 'vf', String(vf), attribute, value]);
      if (!done.found) throw new HostError('run', 'ip', 'ENOENT');
    }
  },
};

export type VfSettings = Readonly<Partial<Record<VfTunable['attribute'], string>>>;

/** The `vfinfo_list` of `ip -j link show dev X` by number; undefined when the text is not ip's. */
export function parseVfs(text: string): ReadonlyMap<number, VfSettings> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const link: unknown = Array.isArray(parsed) ? parsed[0] : undefined;
  if (typeof link !== 'object' || link === null || !('ifname' in link)) return undefined;
  const list: unknown = 'vfinfo_list' in link ? link.vfinfo_list : [];
  if (!Array.isArray(list)) return undefined;
  return new Map(list.flatMap((entry: unknown) => parseVf(entry)));
}

function parseVf(entry: unknown): [number, VfSettings][] {
  if (typeof entry !== 'object' || entry === null || !('vf' in entry) || typeof entry.vf !== 'number') return [];
  const { vf, address, vlan_list: vlans, rate, spoofchk, trust } = entry as Record<string, unknown>;
  const [vlan] = Array.isArray(vlans) ? (vlans as { vlan?: unknown }[]) : [];
  const maxRate = typeof rate === 'object' && rate !== null && 'max_tx' in rate ? rate.max_tx : undefined;
  return [
    [
      vf as number,
      {
        ...(typeof address === 'string' && { mac: address }),
        // Without a VLAN the list has one empty entry.
        ...(vlan !== undefined && { vlan: String(typeof vlan.vlan === 'number' ? vlan.vlan : 0) }),
        ...(typeof spoofchk === 'boolean' && { spoofchk: spoofchk ? 'on' : 'off' }),
        ...(typeof trust === 'boolean' && { trust: trust ? 'on' : 'off' }),
        ...(typeof maxRate === 'number' && { max_tx_rate: String(maxRate) }),
      },
    ],
  ];
}
