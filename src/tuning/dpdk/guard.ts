import type { Machine, Nic } from '../../topology/machine.ts';
import type { Refusal } from '../domain.ts';
import type { DpdkFacts, PciNic } from './facts.ts';

/** Drivers that DPDK shares with the kernel: the NIC stays where it is. */
export const BIFURCATED = ['mlx4_core', 'mlx5_core', 'mana'];

/** What an interface is to the one above it, by the type that the kernel gives that one (DEVTYPE in its uevent). */
const UPPER_TYPES: Readonly<Record<string, string>> = {
  bond: 'a member of the bond',
  team: 'a member of the team',
  bridge: 'a port of the bridge',
  vlan: 'the parent of the VLAN',
  macvlan: 'the parent of the macvlan',
  ipvlan: 'the parent of the ipvlan',
};

/**
 * Why this NIC must not be taken from the kernel: each reason, for people. dpdk-devbind looks at the routes of the
 * device alone and so misses all that sits on it.
 */
export function listObjections(nic: Nic, facts: DpdkFacts): readonly string[] {
  const ptpUsers = facts.ptpUsers[nic.name] ?? [];
  const clock = nic.phc === undefined ? '' : `, and its clock ${nic.phc} goes with the driver`;
  return [
    ...(nic.carriesSession ? ['it carries the default route or a session that this host is managed through'] : []),
    ...nic.uppers.map((upper) => `it is ${describeUpper(upper, facts)}`),
    ...(ptpUsers.length > 0 ? [`${ptpUsers.join(', ')} keeps time by it${clock}`] : []),
  ];
}

/** Whether the host would be without any NIC, or without any that has a link. */
export function listLonely(nic: Nic, machine: Machine): readonly string[] {
  const others = machine.nics.filter((each) => each.physical && each.name !== nic.name && each.taken === undefined);
  if (others.length === 0) return ['it is the only NIC here'];
  return nic.carrier === true && others.every(({ carrier }) => carrier !== true)
    ? ['no other NIC here has a link']
    : [];
}

function describeUpper(upper: string, { upperTypes }: DpdkFacts): string {
  return `${UPPER_TYPES[upperTypes[upper] ?? ''] ?? 'a part of'} ${upper}`;
}

/** Why the hardware or the kernel does not let a device be driven from user space. */
export function findObstacle(
  nic: PciNic,
  facts: DpdkFacts,
  alsoTaken: ReadonlySet<string>,
): Omit<Refusal, 'id'> | undefined {
  if (facts.vfio === 'absent') {
    const reason =
      'This kernel has no module vfio-pci (CONFIG_VFIO_PCI): install the full set of modules (linux-modules, kernel-modules).';
    return { kind: 'unsupported', reason };
  }
  if (nic.group === undefined) return { kind: 'unsupported', reason: explainNoIommu(facts) };
  const mates = nic.groupMates.filter((mate) => !isHarmless(mate.class, mate.driver) && !alsoTaken.has(mate.address));
  if (mates.length > 0) {
    const list = mates.map((mate) => `${mate.address} (${mate.driver})`).join(', ');
    const reason = `It shares IOMMU group ${nic.group} with ${list}: VFIO gives out whole groups. Take those too, or move the card to a slot of its own.`;
    return { kind: 'refused', reason };
  }
  const overrides = [
    ...(nic.override === null ? [] : [nic.override]),
    ...(nic.driverctl === undefined ? [] : [nic.driverctl]),
  ];
  const foreign = overrides.find((driver) => driver !== 'vfio-pci');
  if (foreign === undefined) return undefined;
  const where = nic.driverctl === foreign ? `/etc/driverctl.d/pci-${nic.address}` : `its driver_override`;
  return {
    kind: 'conflict',
    reason: `${where} says ${foreign}, which is not hft's. Take it away (driverctl unset-override ${nic.address}).`,
  };
}

/** Bridges of the PCI bus belong to every group behind them. */
function isHarmless(pciClass: string | undefined, driver: string | undefined): boolean {
  return (
    driver === undefined ||
    driver === 'vfio-pci' ||
    driver === 'pci-stub' ||
    driver === 'pcieport' ||
    /^0x06/.test(pciClass ?? '')
  );
}

function explainNoIommu({ iommus, cpuVendor }: DpdkFacts): string {
  if (iommus.length > 0) return 'The kernel gave it no IOMMU group, although there is an IOMMU: it hangs behind none.';
  const [argument, option] =
    cpuVendor === 'GenuineIntel' ? ['intel_iommu=on', 'VT-d'] : ['iommu=pt', 'the IOMMU (AMD-Vi, SMMU)'];
  return `No IOMMU is at work here (/sys/class/iommu is empty), and vfio-pci needs one. It is taken at the first boot with ${argument}; where that does not help, switch on ${option} in the firmware.`;
}
