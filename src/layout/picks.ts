import { type Core, nodesByDistance } from './cores.ts';
import type { IsolatedCount } from './schema.ts';
import { type Site, siteCpus } from './site.ts';

/** taken: already housekeeping. claimed: asked for by number, so not to be chosen for something else. */
interface Limits {
  readonly taken: ReadonlySet<Core>;
  readonly claimed: ReadonlySet<Core>;
}

/** Fills each node up to the count: efficiency cores first, then next to the housekeeping that is there already. */
export function fillHousekeeping(
  site: Site,
  limits: Limits & { readonly coresPerNode: number },
): Core[] {
  return site.nodes.flatMap((node) => {
    const there = [...limits.taken].filter((core) => core.node === node);
    const shared = new Set(there.map((core) => core.l3));
    return site.cores
      .filter((core) => core.node === node && !limits.taken.has(core) && !limits.claimed.has(core))
      .sort((left, right) => Number(right.efficiency) - Number(left.efficiency) || sharing(right, shared) - sharing(left, shared) || byCache(left, right))
      .slice(0, Math.max(0, limits.coresPerNode - there.length));
  });
}

/** On the NIC's node, in the caches that housekeeping uses anyway, so that the other caches stay quiet. */
export function chooseIrqCores(
  site: Site,
  limits: Limits & { readonly count: number },
): Core[] {
  if (site.nic.name === undefined) return [];
  const nodes = irqNodes(site);
  const shared = new Set([...limits.taken].map((core) => core.l3));
  return site.cores
    .filter((core) => nodes.includes(core.node) && !limits.taken.has(core) && !limits.claimed.has(core))
    .sort(
      (left, right) =>
        nodes.indexOf(left.node) - nodes.indexOf(right.node) ||
        Number(left.efficiency) - Number(right.efficiency) ||
        sharing(right, shared) - sharing(left, shared) || byCache(left, right),
    )
    .slice(0, limits.count);
}

/** The NIC's own nodes; the nearest one when they have no CPUs; the first node when the NIC's is unknown. */
export function irqNodes(site: Site): (number | undefined)[] {
  const own = site.nodes.filter((node) => node !== undefined && site.nicNodes.includes(node));
  return own.length > 0 ? own : nodesByDistance(site.machine, site.nodes, site.nicNodes).slice(0, 1);
}

export function chooseIsolatedCores(site: Site, wanted: IsolatedCount, busy: ReadonlySet<Core>): Core[] {
  const order = nodesByDistance(site.machine, site.nodes, homeNodes(site, wanted));
  const disturbed = new Set([...busy].map((core) => core.l3));
  const rank = new Map(order.map((node, position) => [node, position]));
  return eligibleCores(site, wanted)
    .filter((core) => !busy.has(core))
    .sort((left, right) => (rank.get(left.node) as number) - (rank.get(right.node) as number) || sharing(left, disturbed) - sharing(right, disturbed) || byCache(left, right))
    .slice(0, countCores(site, wanted));
}

/** The nodes where isolated cores are taken first. */
export function homeNodes(site: Site, wanted: IsolatedCount): readonly number[] {
  if (wanted.near === 'nic') return irqNodes(site).filter((node) => node !== undefined);
  const cpus = siteCpus(site, wanted.near);
  return [...new Set(site.cores.filter((core) => core.cpus.some((cpu) => cpus.includes(cpu))).flatMap((core) => core.node ?? []))];
}

/** The cores that may be isolated at all, keepers included. */
export function eligibleCores(site: Site, wanted: IsolatedCount): Core[] {
  const within = siteCpus(site, wanted.within);
  return site.cores.filter(
    (core) => (wanted.coreType === 'any' || !core.efficiency) && core.cpus.every((cpu) => within.includes(cpu)),
  );
}

/** How many isolated cores the count means here. */
export function countCores(site: Site, wanted: IsolatedCount): number {
  if (typeof wanted.cores === 'number') return wanted.cores;
  const eligible = eligibleCores(site, wanted).length;
  if (wanted.cores === 'most') return eligible;
  return Math.max(1, Math.floor((eligible * Number.parseInt(wanted.cores, 10)) / 100));
}

/** Whether the core's L3 cache is one of these: 1 or 0, to sort by. */
function sharing(core: Core, caches: ReadonlySet<number | undefined>): number {
  return Number(caches.has(core.l3));
}

function byCache(left: Core, right: Core): number {
  return (left.l3 ?? -1) - (right.l3 ?? -1) || (left.cpus[0] as number) - (right.cpus[0] as number);
}
