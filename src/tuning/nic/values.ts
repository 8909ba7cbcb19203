import { longFeatureName } from '../../tunables/ethtool/features.ts';
import { type Indirection, spellIndirection, tableOfWeights } from '../../tunables/ethtool/indirection.ts';
import { type Decision, ethtool, type NicCase, refuse, refuseUntold, toggle, wish } from './decision.ts';

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

/** ixgbe and its relatives reset the NIC to change these; what keeps the link on one driver drops it on another. */
const RESETTING = ['lro', 'ntuple'];

function desireFeatures(nicCase: NicCase): readonly Decision[] {
  return Object.entries(nicCase.wanted.offloads ?? {}).flatMap(([name, isOn]) =>
    desireFeature(nicCase, name, toggle(isOn)),
  );
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
  const disruption = RESETTING.includes(name) ? 'link' : 'none';
  return names.map((each) => wish(nic, { name: each, tunable: ethtool(nic, 'feature', each), value, why, disruption }));
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

function desireRss({ wanted, nic, facts }: NicCase): readonly Decision[] {
  const { rss } = wanted;
  if (rss === undefined) return [];
  if (!facts?.indirection.ok) return [refuseUntold(nic, 'rss', facts?.indirection)];
  const value = rssValue(rss, facts.indirection.output);
  if (value === undefined)
    return [
      refuse(nic, 'rss', `${JSON.stringify(rss)} does not fit ${facts.indirection.output.rings} queues.`, 'refused'),
    ];
  const why = 'Flows are spread over these receive queues, and so over the CPUs that serve them.';
  return [wish(nic, { name: 'rss', tunable: ethtool(nic, 'rss', 'indirection'), value, why })];
}

/** A table that gives flows to all queues already is left as the driver made it, in blocks or in turns. */
function rssValue(rss: number | 'all' | readonly number[], { table, rings }: Indirection): string | undefined {
  if (rss === 'all') return new Set(table).size === rings ? spellIndirection(table) : `equal ${rings}`;
  if (typeof rss === 'number') return `equal ${Math.min(rss, rings)}`;
  const sum = rss.reduce((total, weight) => total + weight, 0);
  if (rss.length > rings || sum === 0 || sum > table.length) return undefined;
  return spellIndirection(tableOfWeights(rss, table.length));
}
