import type { AskedCores, RefusedCpus } from './asked.ts';
import type { Core } from './cores.ts';
import { nameCpus } from './names.ts';
import type { Site } from './site.ts';

/** The cores that stay housekeeping whatever is asked for, with the reason. */
export type Keepers = ReadonlyMap<Core, string>;

/**
 * The boot CPU's core, and one core of each NUMA node: per-node kernel threads (kswapd, kcompactd) and the node's share
 * of unbound work run there. Taken from what was asked for as housekeeping first, from isolated last.
 */
export function chooseKeepers(site: Site, asked: AskedCores): Keepers {
  const keepers = new Map<Core, string>();
  for (const node of site.nodes) {
    const candidates = site.cores.filter((core) => core.node === node);
    const boot = candidates.find((core) => core.cpus.includes(site.bootCpu));
    if (boot !== undefined) {
      keepers.set(boot, bootReason(boot, site));
      continue;
    }
    const [best] = [...candidates].sort((left, right) => keeperRank(left, asked) - keeperRank(right, asked));
    if (best !== undefined)
      keepers.set(best, `one core of NUMA node ${node ?? 'unknown'} stays for the kernel's work on that node`);
  }
  return keepers;
}

/** What was asked for by number and belongs to the keepers. */
export function refuseKeepers(site: Site, asked: AskedCores, keepers: Keepers): RefusedCpus[] {
  const refused: RefusedCpus[] = [];
  for (const [core, why] of keepers) {
    for (const role of ['isolated', 'irq'] as const) {
      if (!asked[role]?.includes(core)) continue;
      const cpus = core.cpus.filter((cpu) => asked.sets[role]?.includes(cpu));
      refused.push({ role, cpus, reason: `stays housekeeping, ${why}` });
    }
    if (asked.housekeeping !== undefined && !asked.housekeeping.includes(core) && core.cpus.includes(site.bootCpu)) {
      refused.push({ role: 'housekeeping', cpus: core.cpus, reason: `housekeeping though not asked for, ${why}` });
    }
  }
  return refused;
}

function keeperRank(core: Core, asked: AskedCores): number {
  if (asked.housekeeping?.includes(core)) return 0;
  const wantedElsewhere = asked.isolated?.includes(core) ? 4 : asked.irq?.includes(core) ? 2 : 0;
  return 1 + wantedElsewhere + (core.efficiency ? 0 : 1);
}

function bootReason(core: Core, site: Site): string {
  const siblings = core.cpus.filter((cpu) => cpu !== site.bootCpu);
  const whole = siblings.length === 0 ? '' : ` (${nameCpus(siblings)}: same core)`;
  return `the kernel's own work cannot leave the boot CPU ${site.bootCpu}${whole}`;
}
