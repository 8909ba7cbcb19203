import { linesAfterTitle, type Parameter, type Parameters } from './output.ts';

/** The short names that `-K` takes, and what `-k` calls them. Every other feature has one name. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  rx: 'rx-checksumming',
  tx: 'tx-checksumming',
  sg: 'scatter-gather',
  tso: 'tcp-segmentation-offload',
  gso: 'generic-segmentation-offload',
  gro: 'generic-receive-offload',
  lro: 'large-receive-offload',
  rxvlan: 'rx-vlan-offload',
  txvlan: 'tx-vlan-offload',
  ntuple: 'ntuple-filters',
  rxhash: 'receive-hashing',
};

const LINE =
  /^(?<tab>\t?)(?<name>[a-z0-9][\w.-]*): (?<value>on|off)(?: \[(?<note>fixed|requested on|requested off)\])?$/i;

/** A feature; `members` are the features that a summary such as tcp-segmentation-offload stands for. */
export interface Feature extends Parameter {
  readonly value: 'on' | 'off';
  readonly isFixed: boolean;
  readonly members: readonly string[];
}

/** Parses `ethtool -k DEVICE`; by the names that it prints. Both those and the short ones are known to `-K`. */
export function parseFeatures(text: string, device: string): ReadonlyMap<string, Feature> | undefined {
  const lines = linesAfterTitle(text, 'Features', device);
  if (lines === undefined) return undefined;
  const found = new Map<string, Feature>();
  let summary: string | undefined;
  for (const line of lines) {
    const groups = LINE.exec(line)?.groups;
    if (groups === undefined) {
      summary = undefined;
      continue;
    }
    const name = groups.name as string;
    const value = groups.value as 'on' | 'off';
    found.set(name, { value, isFixed: groups.note === 'fixed', members: [], line: line.trim() });
    if (groups.tab === '') summary = name;
    else if (summary !== undefined) addMember(found, summary, name);
  }
  return found;
}

/** The same with the short names beside the long ones. */
export function parseFeatureParameters(text: string, device: string): Parameters | undefined {
  const features = parseFeatures(text, device);
  if (features === undefined) return undefined;
  const found = new Map<string, Parameter>(features);
  for (const [short, long] of Object.entries(LONG_NAMES)) {
    const feature = features.get(long);
    if (feature !== undefined) found.set(short, feature);
  }
  return found;
}

/** The name that `ethtool -k` prints for a name that `-K` takes. */
export function longFeatureName(name: string): string {
  return (Object.hasOwn(LONG_NAMES, name) ? LONG_NAMES[name] : undefined) ?? name;
}

function addMember(found: Map<string, Feature>, summary: string, member: string): void {
  const head = found.get(summary);
  if (head !== undefined) found.set(summary, { ...head, members: [...head.members, member] });
}
