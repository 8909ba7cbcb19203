import { longFeatureName } from '../../tunables/ethtool/features.ts';
import { type Indirection, spellIndirection, tableOfWeights } from '../../tunables/ethtool/indirection.ts';
import { type Decision, ethtool, type NicCase, refuse, refuseUntold, toggle, wish } from './decision.ts';
import { type KeptQueues, keptQueues, needsFilters } from './xdp.ts';

/** What changes while the link stays up: features, coalescing, the spread of flows over the queues. */
export function desireValues(nicCase: NicCase): readonly Decision[] {
  return [...desireFeatures(nicCase), ...desireCoalesce(nicCase), ...desireRss(nicCase)];
}

const FEATURE_WHY: Readonly<Record<string, string>> = {
  tso: 'The NIC cuts large sends into packets: throughput; small orders pay a longer path.',
  gso: 'The kernel gathers sends to cut them late: throughput; small orders pay for the gathering.',
  gro: 'Received packets wait to be joined: fewer for the stack to handle, each of them later.',
  lro: 'The NIC joins received packets: each of them arrives later, and timestamps are lost.',
  ntuple: 'Filters in the NIC send chosen flows to chosen queues.',
  rxhash: 'The NIC gives the hash of a flow with each packet, which RSS, RPS and RFS use.',
};

/** ixgbe and its relatives reset the NIC to change these, with the affinity of its interrupts: they come before what is planned of those. */
const RESETTING = ['lro', 'ntuple'];

function desireFeatures(nicCase: NicCase): readonly Decision[] {
  const { offloads = {} } = nicCase.wanted;
  // Drivers take rules for flows only with the feature on, and forget them with it.
  const all = needsFilters(nicCase) ? { ntuple: true, ...offloads } : offloads;
  return Object.entries(all).flatMap(([name, isOn]) => desireFeature(nicCase, name, toggle(isOn)));
}

/**
 * tso stands for several features of which a driver has some: each that can change is a setting of its own, or an undo
 * would switch on those that were off before.
 */
function desireFeature({ nic, facts }: NicCase, name: string, value: 'on' | 'off'): readonly Decision[] {
  const features = facts?.features.ok ? facts.features.output : undefined;
  const feature = features?.get(longFeatureName(name));
  const changeable = feature?.members.filter((member) => !features?.get(member)?.isFixed) ?? [];
  if (
    feature !== undefined &&
    feature.value !== value &&
    (feature.isFixed || (feature.members.length > 0 && changeable.length === 0))
  ) {
    return [refuse(nic, name, `ethtool -k ${nic.name}: ${feature.line}: the driver does not let it change.`)];
  }
  const names = changeable.length > 0 ? changeable : [name];
  const why = FEATURE_WHY[name] ?? `The profile asks for ${name} ${value}.`;
  const effect = RESETTING.includes(name) ? ({ stage: 'shape', disruption: 'link' } as const) : {};
  return names.map((each) => wish(nic, { name: each, tunable: ethtool(nic, 'feature', each), value, why, ...effect }));
}

const COALESCE_WHY = 'An interrupt that waits for more packets makes the first of them late.';
const ADAPTIVE_WHY = 'The NIC lengthens the wait by itself when traffic grows: just when latency counts.';

function desireCoalesce({ wanted, nic }: NicCase): readonly Decision[] {
  return Object.entries(wanted.coalesce ?? {}).map(([key, wantedValue]) => {
    const value = typeof wantedValue === 'boolean' ? toggle(wantedValue) : String(wantedValue);
    const why = key.startsWith('adaptive') ? ADAPTIVE_WHY : COALESCE_WHY;
    return wish(nic, { name: key, tunable: ethtool(nic, 'coalesce', key), value, why });
  });
}

function desireRss(nicCase: NicCase): readonly Decision[] {
  const { wanted, nic, facts } = nicCase;
  const kept = keptQueues(nicCase);
  const rss = kept === undefined ? wanted.rss : wantedBeside(kept, wanted.rss);
  if (rss === undefined) return [];
  if (!facts?.indirection.ok) return [refuseUntold(nic, 'rss', facts?.indirection)];
  const value = rssValue(rss, facts.indirection.output);
  if (value === undefined)
    return [
      refuse(nic, 'rss', `${JSON.stringify(rss)} does not fit ${facts.indirection.output.rings} queues.`, 'refused'),
    ];
  const why =
    kept === undefined
      ? RSS_WHY
      : `${RSS_WHY} Those after queue ${kept.first - 1} are kept for AF_XDP: no other flow goes there.`;
  return [wish(nic, { name: 'rss', tunable: ethtool(nic, 'rss', 'indirection'), value, why })];
}

const RSS_WHY = 'Flows are spread over these receive queues, and so over the CPUs that serve them.';

/** As many queues as are left: a list of weights is a conflict, which is said where queues are kept. */
function wantedBeside({ first }: KeptQueues, rss: NicCase['wanted']['rss']): number {
  return typeof rss === 'number' ? Math.min(rss, first) : first;
}

/** A table that gives flows to all queues already is left as the driver made it, in blocks or in turns. */
function rssValue(rss: number | 'all' | readonly number[], { table, rings }: Indirection): string | undefined {
  if (rss === 'all') return new Set(table).size === rings ? spellIndirection(table) : `equal ${rings}`;
  if (typeof rss === 'number') return `equal ${Math.min(rss, rings)}`;
  const sum = rss.reduce((total, weight) => total + weight, 0);
  if (rss.length > rings || sum === 0 || sum > table.length) return undefined;
  return spellIndirection(tableOfWeights(rss, table.length));
}
