import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { readInteger, readLinkName, readNames, readValue } from '../../topology/kernel-file.ts';
import type { Machine } from '../../topology/machine.ts';
import { PCI_ROOT } from '../../topology/pci.ts';
import { readTaken, type TakenNic } from '../../topology/taken-nics.ts';
import { type BootFacts, readBootFacts } from '../../tunables/boot/facts.ts';
import { readInterfaceState } from '../../tunables/pci/interface-state.ts';
import { parseOverride } from '../../tunables/pci-driver.ts';
import type { InterfaceState } from '../../tunables/tunable.ts';
import { observeWhole } from '../knobs/directories.ts';
import { readPtpUsers } from './ptp-users.ts';

/** One PCI function, as far as giving it to another driver asks for it. */
export interface PciFunction {
  readonly address: string;
  /** `0x020000` */
  readonly class: string | undefined;
  readonly driver: string | undefined;
}

/** A network device on the PCI bus. */
export interface PciNic extends PciFunction {
  readonly vendor: string | undefined;
  readonly device: string | undefined;
  readonly override: string | null;
  /** What driverctl(8) keeps for it. */
  readonly driverctl: string | undefined;
  readonly node: number | undefined;
  readonly group: string | undefined;
  /** The other functions of its IOMMU group. */
  readonly groupMates: readonly PciFunction[];
  /** Virtual functions that it can have and has; undefined: none ever. */
  readonly sriov: { readonly total: number; readonly now: number; readonly vfs: readonly string[] } | undefined;
  /** It is a virtual function of this one. */
  readonly physical: string | undefined;
  readonly interfaces: readonly string[];
}

export interface DpdkFacts {
  readonly isWhole: boolean;
  readonly boot: BootFacts;
  /** `GenuineIntel`, `AuthenticAMD` … */
  readonly cpuVendor: string | undefined;
  /** IOMMUs that the kernel uses: `dmar0`, `ivhd0`. */
  readonly iommus: readonly string[];
  /** unknown: the folder of modules cannot be read. */
  readonly vfio: 'loaded' | 'loadable' | 'absent' | 'unknown';
  readonly taken: readonly TakenNic[];
  readonly nics: readonly PciNic[];
  /** By interface; the text where it cannot be told. */
  readonly states: Readonly<Record<string, InterfaceState | { readonly unreadable: string }>>;
  /** By interface that sits on others: what it is (`bond`, `bridge`, `vlan`), where the kernel says so. */
  readonly upperTypes: Readonly<Record<string, string | undefined>>;
  /** By interface: who keeps time by it. */
  readonly ptpUsers: Readonly<Record<string, readonly string[]>>;
}

/** PCI class 02: network controllers. */
const NETWORK = /^0x02/;

export async function observeDpdk(host: HostReader, machine: Machine): Promise<DpdkFacts> {
  const addresses = await readNames(host, PCI_ROOT);
  const functions = await Promise.all(addresses.map((address) => readFunction(host, address)));
  const nics = await Promise.all(
    functions.filter((each) => NETWORK.test(each.class ?? '')).map((each) => readPciNic(host, each)),
  );
  const names = machine.nics.filter((nic) => nic.physical && nic.taken === undefined).map((nic) => nic.name);
  return {
    isWhole: await observeWhole(host),
    boot: await readBootFacts(host),
    cpuVendor: /^vendor_id\s*:\s*(\S+)/m.exec((await readValue(host, '/proc/cpuinfo')) ?? '')?.[1],
    iommus: await readNames(host, '/sys/class/iommu'),
    vfio: await findVfio(host, machine.kernel.release),
    taken: await readTaken(host),
    nics,
    states: Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await readState(host, name)] as const)),
    ),
    upperTypes: await readUpperTypes(host, machine),
    ptpUsers: await readPtpUsers(host, machine.nics),
  };
}

async function readFunction(host: HostReader, address: string): Promise<PciFunction> {
  const folder = `${PCI_ROOT}/${address}`;
  return {
    address,
    class: await readValue(host, `${folder}/class`),
    driver: await readLinkName(host, `${folder}/driver`),
  };
}

async function readPciNic(host: HostReader, known: PciFunction): Promise<PciNic> {
  const { address } = known;
  const folder = `${PCI_ROOT}/${address}`;
  const group = await readLinkName(host, `${folder}/iommu_group`);
  const mates = group === undefined ? [] : await readNames(host, `/sys/kernel/iommu_groups/${group}/devices`);
  const node = await readInteger(host, `${folder}/numa_node`);
  return {
    ...known,
    vendor: await readValue(host, `${folder}/vendor`),
    device: await readValue(host, `${folder}/device`),
    override: parseOverride(await readValue(host, `${folder}/driver_override`)),
    driverctl: await readValue(host, `/etc/driverctl.d/pci-${address}`),
    node: node !== undefined && node >= 0 ? node : undefined,
    group,
    groupMates: await Promise.all(mates.filter((mate) => mate !== address).map((mate) => readFunction(host, mate))),
    sriov: await readSriov(host, folder),
    physical: await readLinkName(host, `${folder}/physfn`),
    interfaces: await readNames(host, `${folder}/net`),
  };
}

async function readUpperTypes(host: HostReader, { nics }: Machine): Promise<DpdkFacts['upperTypes']> {
  const uppers = [...new Set(nics.flatMap((nic) => nic.uppers))];
  const types = await Promise.all(
    uppers.map(
      async (name) => /^DEVTYPE=(.+)$/m.exec((await readValue(host, `/sys/class/net/${name}/uevent`)) ?? '')?.[1],
    ),
  );
  return Object.fromEntries(uppers.map((name, index) => [name, types[index]]));
}

async function readSriov(host: HostReader, folder: string): Promise<PciNic['sriov']> {
  const total = await readInteger(host, `${folder}/sriov_totalvfs`);
  const now = await readInteger(host, `${folder}/sriov_numvfs`);
  if (total === undefined || now === undefined || total === 0) return undefined;
  const vfs: string[] = [];
  for (let index = 0; index < now; index++) {
    const vf = await readLinkName(host, `${folder}/virtfn${index}`);
    if (vf !== undefined) vfs.push(vf);
  }
  return { total, now, vfs };
}

async function readState(host: HostReader, name: string): Promise<InterfaceState | { readonly unreadable: string }> {
  try {
    return (await readInterfaceState(host, name)) ?? { unreadable: `there is no interface ${name}` };
  } catch (error) {
    if (error instanceof HostError) return { unreadable: error.message };
    throw error;
  }
}

async function findVfio(host: HostReader, release: string): Promise<DpdkFacts['vfio']> {
  if ((await readNames(host, '/sys/bus/pci/drivers/vfio-pci')).length > 0) return 'loaded';
  const base = `/lib/modules/${release}`;
  const lists = [await readValue(host, `${base}/modules.dep`), await readValue(host, `${base}/modules.builtin`)];
  if (lists.every((list) => list === undefined)) return 'unknown';
  return lists.some((list) => /(?:^|\/)vfio-pci\.ko/m.test(list ?? '')) ? 'loadable' : 'absent';
}
