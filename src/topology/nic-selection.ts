import type { Nic } from './machine.ts';

/** What selectors found. A selector that matches nothing is a mistake, never "nothing to do". */
export interface NicSelection {
  readonly nics: readonly Nic[];
  readonly unmatched: readonly string[];
}

/**
 * NICs by selector: an interface name, `driver=ice`, or `pci=0000:3b:00.0`. In the order of the selectors, each NIC
 * once. A driver or address finds hardware only; a virtual interface (bridge, veth, bond) is found by its name.
 */
export function selectNics(selectors: readonly string[], nics: readonly Nic[]): NicSelection {
  const found = new Set<Nic>();
  const unmatched: string[] = [];
  for (const selector of selectors) {
    const matching = nics.filter((nic) => matches(selector, nic));
    if (matching.length === 0) unmatched.push(selector);
    for (const nic of matching) found.add(nic);
  }
  return { nics: [...found], unmatched };
}

function matches(selector: string, nic: Nic): boolean {
  const { key, value } = /^(?<key>driver|pci)=(?<value>.+)$/.exec(selector)?.groups ?? {};
  if (key === undefined) return nic.name === selector;
  if (!nic.physical) return false;
  return key === 'driver' ? nic.driver === value : nic.bus === value;
}

/** `eth0 (ice), eth1 (igb)` or `none`: for the message about a selector that matches nothing. */
export function listNics(nics: readonly Nic[]): string {
  const names = nics.map((nic) => (nic.driver === undefined ? nic.name : `${nic.name} (${nic.driver})`));
  return names.length === 0 ? 'none' : names.join(', ');
}
