import type { AskedCores } from './asked.ts';
import type { Core } from './cores.ts';
import type { Keepers } from './keepers.ts';
import { LayoutError } from './layout-error.ts';
import { nameCpus } from './names.ts';
import type { IsolatedCount, LayoutWanted } from './schema.ts';
import { chooseIrqCores, chooseIsolatedCores, countCores, fillHousekeeping } from './picks.ts';
import { cpusOf, type Site } from './site.ts';

/** Which cores have which role; what is in none of the three lists is left over for housekeeping. */
export interface Split {
  readonly kept: Keepers;
  /** Housekeeping beyond the keepers, because `coresPerNode` asks for more. */
  readonly extra: readonly Core[];
  readonly irq: readonly Core[];
  readonly isolated: readonly Core[];
  /** What had to give way so that everything fits. */
  readonly coresPerNode: number;
  readonly irqCores: number;
  readonly isolatedCores: number;
}

export interface Demand {
  readonly wanted: LayoutWanted;
  readonly site: Site;
  readonly asked: AskedCores;
  readonly keepers: Keepers;
}

/**
 * Shares out the cores. On a machine too small for everything, extra housekeeping gives way first, then interrupt cores;
 * the keepers never do. Throws LayoutError when the isolated cores still do not fit.
 */
export function splitCores(demand: Demand): Split {
  const { wanted, asked } = demand;
  const perNode = 'coresPerNode' in objectOf(wanted.housekeeping) ? (wanted.housekeeping as { coresPerNode: number }).coresPerNode : 1;
  const irqWanted = asked.irq === undefined ? (wanted.irq as { cores: number }).cores : 0;
  let best: Split | undefined;
  for (let irqCores = irqWanted; irqCores >= 0; irqCores--) {
    for (let coresPerNode = perNode; coresPerNode >= 1; coresPerNode--) {
      const split = trySplit(demand, { coresPerNode, irqCores });
      if (split.isolated.length >= neededCores(demand)) return split;
      if (best === undefined || split.isolated.length > best.isolated.length) best = split;
    }
  }
  throw shortage(demand, best?.isolated.length ?? 0);
}

function trySplit(demand: Demand, counts: { readonly coresPerNode: number; readonly irqCores: number }): Split {
  const { site, asked, keepers, wanted } = demand;
  const taken = new Set<Core>([...keepers.keys(), ...(asked.housekeeping ?? [])]);
  const claimed = new Set<Core>([...(asked.irq ?? []), ...(asked.isolated ?? [])]);
  const extra = asked.housekeeping === undefined ? fillHousekeeping(site, { taken, claimed, coresPerNode: counts.coresPerNode }) : [];
  for (const core of extra) taken.add(core);
  const irq = (asked.irq ?? chooseIrqCores(site, { taken, claimed, count: counts.irqCores })).filter((core) => !taken.has(core));
  const busy = new Set([...taken, ...irq]);
  const isolated =
    asked.isolated?.filter((core) => !busy.has(core)) ?? chooseIsolatedCores(site, wanted.isolated as IsolatedCount, busy);
  return { kept: keepers, extra, irq, isolated, ...counts, isolatedCores: targetCores(demand) };
}

function targetCores(demand: Demand): number {
  const { asked, site, wanted } = demand;
  return asked.isolated?.length ?? countCores(site, wanted.isolated as IsolatedCount);
}

/** A number must be met; `most`, a share or a list of CPUs must give one core at least. */
function neededCores(demand: Demand): number {
  const { asked, wanted } = demand;
  if (asked.isolated !== undefined) {
    const wish = asked.isolated.length + asked.refused.filter((refused) => refused.role === 'isolated').length;
    return Math.min(1, wish);
  }
  const { cores } = wanted.isolated as IsolatedCount;
  return typeof cores === 'number' ? cores : 1;
}

function shortage(demand: Demand, possible: number): LayoutError {
  const { site, wanted, asked, keepers } = demand;
  const total = site.cores.length;
  const held = `${nameCpus(cpusOf(keepers.keys()))} must stay housekeeping (the boot CPU, and a core of each NUMA node)`;
  if (total === 1) {
    return new LayoutError('isolated', `${site.machine.host} has one core (${nameCpus(cpusOf(site.cores))}), and the kernel needs it: none can be isolated`, [
      'Use a profile that isolates no CPUs, such as workstation, or a machine with two cores or more.',
    ]);
  }
  if (asked.isolated !== undefined) {
    const reasons = asked.refused.filter((refused) => refused.role === 'isolated');
    const list = reasons.map((refused) => `${nameCpus(refused.cpus)}: ${refused.reason}`);
    return new LayoutError('isolated', `none of "${String(wanted.isolated)}" can be isolated. ${[...list, held].join('. ')}`, [
      'Ask for other CPUs, or let hft choose: isolated: {cores: most}.',
    ]);
  }
  const { cores, within } = wanted.isolated as IsolatedCount;
  const where = within === 'all' ? '' : ` within ${within}`;
  return new LayoutError(
    'isolated',
    `cores: ${cores} cannot be met on ${site.machine.host}: ${possible} of its ${total} cores can be isolated${where}. ${held}`,
    possible > 0 ? [`Ask for ${possible} cores or fewer, or for "most".`] : ['Use a profile that isolates no CPUs, or a machine with more cores per node.'],
  );
}

function objectOf(wanted: unknown): object {
  return typeof wanted === 'object' && wanted !== null ? wanted : {};
}
