import type { AskedCores } from './asked.ts';
import type { Core } from './cores.ts';
import type { CountedCores } from './counted.ts';
import type { Keepers } from './keepers.ts';
import { LayoutError } from './layout-error.ts';
import { nameCpus } from './names.ts';
import { chooseIrqCores, chooseIsolatedCores, fillHousekeeping } from './picks.ts';
import type { LayoutWanted } from './schema.ts';
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
}

export interface Demand {
  readonly wanted: LayoutWanted;
  readonly site: Site;
  readonly asked: AskedCores;
  readonly keepers: Keepers;
  /** Undefined when the isolated CPUs are given as a CPU set. */
  readonly counted: CountedCores | undefined;
}

/**
 * Shares out the cores. On a machine too small for everything, extra housekeeping gives way first, then interrupt
 * cores; the keepers never do. Throws LayoutError when the isolated cores still do not fit.
 */
export function splitCores(demand: Demand): Split {
  const { wanted, site } = demand;
  const most = site.cores.length;
  const perNode = typeof wanted.housekeeping === 'object' ? Math.min(most, wanted.housekeeping.coresPerNode) : 1;
  const irqWanted = typeof wanted.irq === 'object' ? Math.min(most, wanted.irq.cores) : 0;
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
  const { site, asked, keepers, counted } = demand;
  const taken = new Set<Core>([...keepers.keys(), ...(asked.housekeeping ?? [])]);
  const claimed = new Set<Core>([...(asked.irq ?? []), ...(asked.isolated ?? [])]);
  const extra =
    asked.housekeeping === undefined
      ? fillHousekeeping(site, { taken, claimed, coresPerNode: counts.coresPerNode })
      : [];
  for (const core of extra) taken.add(core);
  const irq = (asked.irq ?? chooseIrqCores(site, { taken, claimed, count: counts.irqCores })).filter(
    (core) => !taken.has(core),
  );
  const busy = new Set([...taken, ...irq]);
  const isolated = counted
    ? chooseIsolatedCores(site, counted, busy)
    : (asked.isolated ?? []).filter((core) => !busy.has(core));
  return { kept: keepers, extra, irq, isolated, ...counts };
}

/** A number must be met; `most`, a share or a list of CPUs must give one core at least. */
function neededCores(demand: Demand): number {
  const { asked, counted } = demand;
  if (counted) return typeof counted.wish.cores === 'number' ? counted.wish.cores : 1;
  return Math.min(1, asked.sets.isolated?.length ?? 0);
}

function shortage(demand: Demand, possible: number): LayoutError {
  const { site, wanted, asked, keepers, counted } = demand;
  const { host } = site.machine;
  const total = site.cores.length;
  const held = `${nameCpus(cpusOf(keepers.keys()))} must stay housekeeping (the boot CPU, and a core of each node)`;
  if (total === 1) {
    const only = nameCpus(cpusOf(site.cores));
    const problem = `${host} has one core (${only}), and the kernel needs it: none can be isolated`;
    return new LayoutError('isolated', problem, [
      'Use a profile that isolates no CPUs, such as workstation, or a machine with two cores or more.',
    ]);
  }
  if (counted === undefined) {
    const reasons = asked.refused.filter((refused) => refused.role === 'isolated');
    const list = reasons.map((refused) => `${nameCpus(refused.cpus)}: ${refused.reason}`);
    const problem = `none of "${String(wanted.isolated)}" can be isolated. ${[...list, held].join('. ')}`;
    return new LayoutError('isolated', problem, ['Ask for other CPUs, or let hft choose: isolated: {cores: most}.']);
  }
  const { cores, within } = counted.wish;
  const where = within === 'all' ? '' : ` within ${within}`;
  const found = `${possible} of its ${total} cores can be isolated${where}`;
  return new LayoutError('isolated', `cores: ${cores} cannot be met on ${host}: ${found}. ${held}`, [
    possible > 0
      ? `Ask for ${possible} cores or fewer, or for "most".`
      : 'Use a profile that isolates no CPUs, or a machine with more cores per node.',
  ]);
}
