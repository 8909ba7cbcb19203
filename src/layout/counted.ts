import { type Core, nodesByDistance } from './cores.ts';
import type { IsolatedCount, LayoutWanted } from './schema.ts';
import { type Site, siteCpus } from './site.ts';

/** A wish for isolated cores by number, as it stands on one machine. */
export interface CountedCores {
  readonly wish: IsolatedCount;
  /** The cores that may be isolated at all, keepers included. */
  readonly eligible: ReadonlySet<Core>;
  /** The nodes where cores are taken first. */
  readonly home: readonly number[];
  readonly target: number;
}

/** Undefined when the isolated CPUs are given as a CPU set. */
export function countIsolated(wanted: LayoutWanted['isolated'], site: Site): CountedCores | undefined {
  if (typeof wanted !== 'object') return undefined;
  const eligible = findEligible(site, wanted);
  return { wish: wanted, eligible, home: findHome(site, wanted), target: countTarget(wanted, eligible.size) };
}

/** The NIC's own nodes; the nearest one when they have no CPUs; the first node when the NIC's is unknown. */
export function servingNodes(site: Site): (number | undefined)[] {
  const own = site.nodes.filter((node) => node !== undefined && site.nicNodes.includes(node));
  return own.length > 0 ? own : nodesByDistance(site.machine, site.nodes, site.nicNodes).slice(0, 1);
}

function findHome(site: Site, wish: IsolatedCount): readonly number[] {
  if (wish.near === 'nic') return servingNodes(site).filter((node) => node !== undefined);
  const cpus = new Set(siteCpus(site, wish.near));
  return [
    ...new Set(site.cores.filter((core) => core.cpus.some((cpu) => cpus.has(cpu))).flatMap((core) => core.node ?? [])),
  ];
}

function findEligible(site: Site, wish: IsolatedCount): Set<Core> {
  const within = new Set(siteCpus(site, wish.within));
  const fastEnough = (core: Core): boolean => wish.coreType === 'any' || !core.efficiency;
  return new Set(site.cores.filter((core) => fastEnough(core) && core.cpus.every((cpu) => within.has(cpu))));
}

function countTarget(wish: IsolatedCount, eligible: number): number {
  if (typeof wish.cores === 'number') return wish.cores;
  if (wish.cores === 'most') return eligible;
  return Math.max(1, Math.floor((eligible * Number.parseInt(wish.cores, 10)) / 100));
}
