import type { Features } from './features.ts';

export interface ComparedHost {
  readonly host: string;
  readonly features: Features;
}

export interface Having {
  /** null: it is not there. */
  readonly value: string | null;
  readonly hosts: readonly string[];
}

/** A feature in which hosts are not equal. */
export interface FleetDifference {
  readonly feature: string;
  /** What more than half of the hosts have that it is known of; undefined: no value has so many. */
  readonly usual: Having | undefined;
  /** The odd ones out; all of them where nothing is usual. The rarest first. */
  readonly odd: readonly Having[];
  /** Hosts where it could not be read: they are taken for neither. */
  readonly unread: readonly string[];
}

/** What hosts differ in, in the order of the features of the first one. */
export function findDifferences(compared: readonly ComparedHost[]): readonly FleetDifference[] {
  const names = new Set(compared.flatMap(({ features }) => [...features.keys()]));
  return [...names].flatMap((feature) => differenceIn(feature, compared) ?? []);
}

/** Hosts by how many differences they are the odd one of; the oddest first. */
export function countOdd(
  differences: readonly FleetDifference[],
): readonly { readonly host: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { usual, odd } of differences)
    if (usual !== undefined)
      for (const host of odd.flatMap(({ hosts }) => hosts)) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts].map(([host, count]) => ({ host, count })).sort((left, right) => right.count - left.count);
}

function differenceIn(feature: string, compared: readonly ComparedHost[]): FleetDifference | undefined {
  const unread: string[] = [];
  const groups = new Map<string | null, string[]>();
  for (const { host, features } of compared) {
    const value = features.get(feature);
    if (value === undefined && features.has(feature)) {
      unread.push(host);
      continue;
    }
    const key = value ?? null;
    groups.set(key, [...(groups.get(key) ?? []), host]);
  }
  if (groups.size < 2) return undefined;
  const having = [...groups]
    .map(([value, hosts]) => ({ value, hosts }))
    .sort((left, right) => left.hosts.length - right.hosts.length);
  const largest = having.at(-1) as Having;
  const isUsual = largest.hosts.length * 2 > compared.length - unread.length;
  return { feature, usual: isUsual ? largest : undefined, odd: isUsual ? having.slice(0, -1) : having, unread };
}
