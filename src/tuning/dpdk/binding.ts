import type { PlacedMachine } from '../../layout/layout.ts';
import type { Nic } from '../../topology/machine.ts';
import { listNics, selectNics } from '../../topology/nic-selection.ts';
import { PCI_ADDRESS } from '../../topology/pci.ts';
import { printTaken, TAKEN_RULE, type TakenNic } from '../../topology/taken-nics.ts';
import type { InterfaceState } from '../../tunables/tunable.ts';
import type { Refusal, Setting } from '../domain.ts';
import type { DpdkFacts, PciNic } from './facts.ts';
import { BIFURCATED, findObstacle, listLonely, listObjections } from './guard.ts';
import type { DpdkWanted } from './schema.ts';

/** What is decided from. */
export interface DpdkCase {
  readonly wanted: DpdkWanted;
  readonly facts: DpdkFacts;
  readonly machine: PlacedMachine;
}

/** A device on the PCI bus, with its interface where the kernel has one or had one. */
export interface Chosen {
  readonly pci: PciNic;
  readonly nic: Nic | undefined;
}

/** The devices that selectors name, and why one names none. */
export function chooseDevices(
  selectors: readonly string[],
  { facts, machine }: DpdkCase,
): { readonly chosen: readonly Chosen[]; readonly refused: readonly Refusal[] } {
  const chosen = new Map<string, Chosen>();
  const refused: Refusal[] = [];
  for (const selector of selectors) {
    const found = chooseBySelector(selector, facts, machine);
    if ('reason' in found) refused.push({ id: `dpdk.device@${selector}`, ...found });
    else for (const each of found.chosen) chosen.set(each.pci.address, each);
  }
  return { chosen: [...chosen.values()], refused };
}

function chooseBySelector(
  selector: string,
  facts: DpdkFacts,
  machine: PlacedMachine,
): { readonly chosen: readonly Chosen[] } | Omit<Refusal, 'id'> {
  if (selector === 'trading' && machine.layout.nic === undefined) {
    const why = machine.layout.nicWhy ?? 'the layout has none';
    return { kind: 'unsupported', reason: `No trading NIC was found: ${why}. Name one in dpdk.devices.` };
  }
  const name = selector === 'trading' ? (machine.layout.nic as string) : selector;
  const address = name.startsWith('pci=') ? name.slice('pci='.length) : undefined;
  const bare = facts.nics.find((pci) => pci.address === address);
  if (bare !== undefined) return { chosen: [{ pci: bare, nic: machine.nics.find((nic) => nic.bus === address) }] };
  if (address !== undefined) {
    const known = facts.nics.map((pci) => pci.address).join(', ') || 'none';
    return { kind: 'refused', reason: `There is no network device at ${address} (devices: ${known}).` };
  }
  const { nics } = selectNics([name], machine.nics);
  if (nics.length === 0)
    return { kind: 'refused', reason: `No NIC here is ${name} (NICs: ${listNics(machine.nics)}).` };
  const chosen = nics.flatMap((nic) => {
    const pci = facts.nics.find((each) => each.address === nic.bus);
    return pci === undefined ? [] : [{ pci, nic }];
  });
  if (chosen.length > 0) return { chosen };
  const onBus = nics.find(({ bus }) => bus !== undefined && PCI_ADDRESS.test(bus))?.bus;
  if (onBus !== undefined)
    return { kind: 'unknown', reason: `/sys/bus/pci/devices/${onBus} of ${name} was not captured, or cannot be read.` };
  return { kind: 'unsupported', reason: `${name} is no device of the PCI bus: there is nothing to give to vfio-pci.` };
}

/** A NIC for DPDK, or why not. */
export function desireBinding(each: Chosen, alsoTaken: ReadonlySet<string>, dpdk: DpdkCase): Setting | Refusal {
  const { pci } = each;
  const id = `dpdk.driver@${pci.address}`;
  if (pci.driver !== undefined && BIFURCATED.includes(pci.driver)) {
    return bindingSetting(each, pci.driver, `DPDK drives it beside ${pci.driver}: it stays with the kernel.`);
  }
  // Bound by somebody else, or by hft's own rule at boot.
  if (pci.driver === 'vfio-pci') return bindingSetting(each, 'vfio-pci', explainTaking(each, dpdk.facts));
  const refusal = refuseTaking(each, dpdk) ?? findObstacle(pci, dpdk.facts, alsoTaken);
  return refusal === undefined ? bindingSetting(each, 'vfio-pci', explainTaking(each, dpdk.facts)) : { id, ...refusal };
}

/** Who or what would be cut off. */
export function refuseTaking(
  { pci, nic }: Chosen,
  { wanted, facts, machine }: DpdkCase,
): Omit<Refusal, 'id'> | undefined {
  if (wanted.override.includes(pci.address)) return undefined;
  const isHidden = nic === undefined && pci.driver !== undefined;
  if (isHidden) {
    const reason = `${pci.address} is driven by ${pci.driver} and has no interface in this network namespace: what uses it cannot be told. dpdk.override: [${pci.address}] takes it all the same.`;
    return { kind: 'unknown', reason };
  }
  if (nic === undefined) return undefined;
  const state = facts.states[nic.name];
  if (state !== undefined && 'unreadable' in state)
    return { kind: 'unknown', reason: `What ${nic.name} would lose cannot be told: ${state.unreadable}.` };
  // Links come up one after the other at boot: what was decided before is not decided again by that.
  const isRemembered = facts.taken.some(({ address }) => address === pci.address);
  const objections = [
    ...listObjections(nic, facts),
    ...(isRemembered ? [] : listLonely(nic, machine)),
    ...listNotBack(state).map((what) => `a rollback could not put back ${what}`),
  ];
  if (objections.length === 0) return undefined;
  const reason = `${nic.name} stays with the kernel: ${objections.join('; ')}. Choose another NIC; dpdk.override: [${pci.address}] takes it all the same.`;
  return { kind: 'refused', reason };
}

function bindingSetting({ pci, nic }: Chosen, driver: string, why: string): Setting {
  return {
    id: `dpdk.driver@${pci.address}`,
    stage: 'shape',
    tunable: { kind: 'pci-driver', address: pci.address },
    value: driver,
    why,
    ifRefused: 'fail',
    disruption: 'process',
    ...(nic !== undefined && { interface: nic.name }),
  };
}

/** What goes with the driver, so that nobody is surprised; a rollback brings it back. */
function explainTaking({ pci, nic }: Chosen, { states }: DpdkFacts): string {
  if (nic === undefined || nic.taken !== undefined || pci.driver === 'vfio-pci')
    return 'A program drives this NIC from user space.';
  const state = states[nic.name];
  const lost = state === undefined || 'unreadable' in state ? [] : listLost(state);
  const clock = nic.phc === undefined ? [] : [`the PTP clock ${nic.phc}`];
  const forGood = listNotBack(state);
  const note = forGood.length === 0 ? '' : ` Lost for good, rollback or not: ${forGood.join(', ')}.`;
  return `A program drives it from user space. Until a rollback the kernel loses interface ${[nic.name, ...lost, ...clock].join(', ')}.${note}`;
}

/** What no command could give back. */
function listNotBack(state: DpdkFacts['states'][string] | undefined): readonly string[] {
  return state === undefined || 'unreadable' in state ? [] : (state.queues?.lost ?? []);
}

function listLost({ up, mtu, addresses, routes, ethtool, neighbours = [], queues }: InterfaceState): readonly string[] {
  const { ring, channels } = ethtool;
  const rings = ['rx', 'tx'].map((key) => ring?.[key] ?? '?').join('/');
  return [
    up ? 'which is up' : 'which is down',
    ...addresses,
    ...routes.map((route) => `route ${route}`),
    ...neighbours.map((neighbour) => `neighbour ${neighbour}`),
    ...(queues?.rules.length ? [`${queues.rules.length} ntuple rule(s)`] : []),
    ...(queues?.qdisc === undefined ? [] : [`qdisc ${queues.qdisc}`]),
    `mtu ${mtu}`,
    ...(ring === undefined ? [] : [`rings ${rings}`]),
    ...(channels === undefined
      ? []
      : [
          `queues ${Object.entries(channels)
            .map(([key, value]) => `${key} ${value}`)
            .join(' ')}`,
        ]),
  ];
}

/** The rule that gives them to vfio-pci at boot; virtual functions are made and bound by hft itself then. */
export function desireRule(chosen: readonly Chosen[], facts: DpdkFacts): Setting | undefined {
  const kept = chosen.flatMap((each) => {
    const nic = facts.taken.find(({ address }) => address === each.pci.address) ?? asTaken(each);
    return nic === undefined ? [] : [nic];
  });
  const text = printTaken(kept);
  if (text === null) return undefined;
  const why = 'Gives the NIC to vfio-pci at every boot, and keeps what it was.';
  return fileSetting(TAKEN_RULE, text, why);
}

function asTaken({ pci, nic }: Chosen): TakenNic | undefined {
  if (nic?.driver === undefined || pci.vendor === undefined || pci.device === undefined) return undefined;
  const { node, speedMbps, carrier, phc } = nic;
  const { address, vendor, device } = pci;
  return { address, vendor, device, interface: nic.name, driver: nic.driver, node, speedMbps, carrier, phc };
}

export function fileSetting(path: string, text: string, why: string): Setting {
  return {
    id: `dpdk.file@${path}`,
    stage: 'shape',
    tunable: { kind: 'config-file', path, mode: 0o644 },
    value: text,
    why,
    ifRefused: 'fail',
    disruption: 'none',
  };
}
