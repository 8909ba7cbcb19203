import { type Core, nodesByDistance } from './cores.ts';
import { type CountedCores, servingNodes } from './counted.ts';
import type { Site } from './site.ts';

/** taken: already housekeeping. claimed: asked for by number, so not to be chosen for something else. */
interface Limits {
  readonly taken: ReadonlySet<Core>;
  readonly claimed: ReadonlySet<Core>;
}

/** Fills each node up to the count: efficiency cores first, then next to the housekeeping that is there already. */
export function fillHousekeeping(site: Site, limits: Limits & { readonly coresPerNode: number }): Core[] {
  return site.nodes.flatMap((node) => {
    const there = [...limits.taken].filter((core) => core.node === node);
    const shared = new Set(there.map((core) => core.l3));
    return site.cores
      .filter((core) => core.node === node && !limits.taken.has(core) && !limits.claimed.has(core))
      .sort(
        (left, right) =>
          Number(right.efficiency) - Number(left.efficiency) ||
          sharing(right, shared) - sharing(left, shared) ||
          byCache(left, right),
      )
      .slice(0, Math.max(0, limits.coresPerNode - there.length));
  });
}

/** On the NIC's node, in the caches that housekeeping uses anyway, so that the other caches stay quiet. */
export function chooseIrqCores(site: Site, limits: Limits & { readonly count: number }): Core[] {
  if (site.nic.name === undefined) return [];
  const nodes = servingNodes(site);
  const shared = new Set([...limits.taken].map((core) => core.l3));
  return site.cores
    .filter((core) => nodes.includes(core.node) && !limits.taken.has(core) && !limits.claimed.has(core))
    .sort(
      (left, right) =>
        nodes.indexOf(left.node) - nodes.indexOf(right.node) ||
        Number(left.efficiency) - Number(right.efficiency) ||
        sharing(right, shared) - sharing(left, shared) ||
        byCache(left, right),
    )
    .slice(0, limits.count);
}

/** On the home nodes first, then by distance; in caches that nobody disturbs first. */
export function chooseIsolatedCores(site: Site, counted: CountedCores, busy: ReadonlySet<Core>): Core[] {
  const order = nodesByDistance(site.machine, site.nodes, counted.home);
  const disturbed = new Set([...busy].map((core) => core.l3));
  const rank = new Map(order.map((node, position) => [node, position]));
  return [...counted.eligible]
    .filter((core) => !busy.has(core))
    .sort(
      (left, right) =>
        (rank.get(left.node) as number) - (rank.get(right.node) as number) ||
        sharing(left, disturbed) - sharing(right, disturbed) ||
        byCache(left, right),
    )
    .slice(0, counted.target);
}

/** Whether the core's L3 cache is one of these: 1 or 0, to sort by. */
function sharing(core: Core, caches: ReadonlySet<number | undefined>): number {
  return Number(caches.has(core.l3));
}

function byCache(left: Core, right: Core): number {
  return (left.l3 ?? -1) - (right.l3 ?? -1) || (left.cpus[0] as number) - (right.cpus[0] as number);
}
