import { type Core, nodeDistance } from '../layout/cores.ts';
import type { Machine } from '../topology/machine.ts';

/** CPUs that one process wants to itself. */
export interface AssignDemand {
  /** CPUs that may be taken, free ones only. */
  readonly allowed: ReadonlySet<number>;
  /** Taken there first. */
  readonly home: readonly number[];
  readonly count: number;
  /** core: one CPU of a whole core each, whose other hardware threads nobody else gets. */
  readonly unit: 'cpu' | 'core';
}

export interface AssignSite {
  readonly machine: Machine;
  /** Every core with the hardware threads that run. */
  readonly cores: readonly Core[];
}

/** States that are looked at before a search is given up: real deployments need one for each CPU. */
const MOST_STATES = 50_000;

/**
 * The CPUs of each demand, ascending; undefined when there is no way to meet them all, or none was found in 50,000 states.
 *
 * Earlier demands choose first: a node with room for all of them, the nearest such node, CPUs that share an L3, then cores
 * of which nothing is in use. A choice that leaves a later demand without CPUs is taken back: whenever the demands can all be
 * met, they are.
 */
export function assignCpus(
  demands: readonly AssignDemand[],
  site: AssignSite,
): readonly (readonly number[])[] | undefined {
  return new Search(demands, site).run();
}

interface Slot {
  readonly demand: number;
  readonly wanted: AssignDemand;
}

class Search {
  private readonly slots: readonly Slot[];
  private readonly site: AssignSite;
  private readonly coreOf: ReadonlyMap<number, Core>;
  private readonly demands: readonly AssignDemand[];
  private readonly taken: number[][];
  private readonly used = new Set<number>();
  private readonly hopeless = new Set<string>();
  private states = 0;

  constructor(demands: readonly AssignDemand[], site: AssignSite) {
    this.demands = demands;
    this.site = site;
    this.slots = demands.flatMap((wanted, demand) => Array.from({ length: wanted.count }, () => ({ demand, wanted })));
    this.coreOf = new Map(site.cores.flatMap((core) => core.cpus.map((cpu) => [cpu, core] as const)));
    this.taken = demands.map(() => []);
  }

  run(): readonly (readonly number[])[] | undefined {
    if (!hasEnough(this.slots) || !this.fill(0)) return undefined;
    return this.taken.map((cpus) => [...cpus].sort((left, right) => left - right));
  }

  private fill(position: number): boolean {
    const slot = this.slots[position];
    if (slot === undefined) return true;
    if (++this.states > MOST_STATES) return false;
    const state = this.describe(position);
    if (this.hopeless.has(state)) return false;
    const tried = new Set<string>();
    for (const core of this.rank(slot)) {
      const free = this.free(core, slot.wanted);
      for (const cpu of slot.wanted.unit === 'core' ? free.slice(0, 1) : free) {
        // CPUs that the same demands may use, on cores that are alike, are the same to what follows.
        const kind = `${this.kindOf(core)} ${this.usersOf(cpu)}`;
        if (tried.has(kind)) continue;
        tried.add(kind);
        this.take(slot, cpu, core);
        if (this.fill(position + 1)) return true;
        this.giveBack(slot, cpu, core);
      }
    }
    this.hopeless.add(state);
    return false;
  }

  private take({ demand, wanted }: Slot, cpu: number, core: Core): void {
    for (const each of wanted.unit === 'core' ? core.cpus : [cpu]) this.used.add(each);
    this.taken[demand]?.push(cpu);
  }

  private giveBack({ demand, wanted }: Slot, cpu: number, core: Core): void {
    for (const each of wanted.unit === 'core' ? core.cpus : [cpu]) this.used.delete(each);
    this.taken[demand]?.pop();
  }

  private free(core: Core, { allowed, unit }: AssignDemand): readonly number[] {
    const free = core.cpus.filter((cpu) => !this.used.has(cpu) && allowed.has(cpu));
    return unit === 'core' && free.length < core.cpus.length ? [] : free;
  }

  /** The cores that can serve a slot, best first. */
  private rank({ demand, wanted }: Slot): Core[] {
    const own = this.taken[demand] ?? [];
    const left = wanted.count - own.length;
    const first = own[0] === undefined ? undefined : this.coreOf.get(own[0]);
    const able = this.site.cores.filter((core) => this.free(core, wanted).length > 0);
    const room = (same: (core: Core) => boolean) =>
      able.filter(same).reduce((sum, core) => sum + (wanted.unit === 'core' ? 1 : this.free(core, wanted).length), 0);
    const nodeRoom = new Map(able.map(({ node }) => [node, room((core) => core.node === node)]));
    const cacheRoom = new Map(able.map(({ l3 }) => [l3, room((core) => core.l3 === l3)]));
    const keys = new Map(
      able.map((core) => [
        core,
        [
          first === undefined ? Number((nodeRoom.get(core.node) ?? 0) < left) : Number(core.node !== first.node),
          this.distance(core, wanted.home),
          first === undefined ? Number((cacheRoom.get(core.l3) ?? 0) < left) : Number(core.l3 !== first.l3),
          core.cpus.filter((cpu) => this.used.has(cpu)).length,
          core.cpus[0] ?? 0,
        ],
      ]),
    );
    return able.sort((left, right) => compareKeys(keys.get(left) ?? [], keys.get(right) ?? []));
  }

  private distance(core: Core, home: readonly number[]): number {
    if (home.length === 0) return 0;
    return Math.min(...home.map((node) => nodeDistance(this.site.machine, node, core.node) ?? Number.MAX_SAFE_INTEGER));
  }

  private describe(position: number): string {
    const kinds = new Map<string, number>();
    for (const core of this.site.cores) {
      const kind = this.kindOf(core);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    const counts = [...kinds].map(([kind, number]) => `${number}x${kind}`).sort();
    return `${position} ${counts.join(' ')}`;
  }

  private kindOf(core: Core): string {
    const free = core.cpus.filter((cpu) => !this.used.has(cpu));
    return `${core.cpus.length}:${free
      .map((cpu) => this.usersOf(cpu))
      .sort()
      .join(',')}`;
  }

  /** The demands that may use a CPU. */
  private usersOf(cpu: number): string {
    return this.demands.map(({ allowed }) => (allowed.has(cpu) ? '1' : '0')).join('');
  }
}

function compareKeys(left: readonly number[], right: readonly number[]): number {
  const differing = left.findIndex((key, index) => key !== right[index]);
  return differing < 0 ? 0 : (left[differing] ?? 0) - (right[differing] ?? 0);
}

/** Whether each slot can have a CPU, as if no cores were wanted whole (augmenting paths): a quick no. */
function hasEnough(slots: readonly Slot[]): boolean {
  const holder = new Map<number, number>();
  const augment = (slot: number, seen: Set<number>): boolean => {
    for (const cpu of slots[slot]?.wanted.allowed ?? []) {
      if (seen.has(cpu)) continue;
      seen.add(cpu);
      const before = holder.get(cpu);
      if (before !== undefined && !augment(before, seen)) continue;
      holder.set(cpu, slot);
      return true;
    }
    return false;
  };
  return slots.every((_, slot) => augment(slot, new Set()));
}
