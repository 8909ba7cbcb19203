import type { HostReader } from '../host/host.ts';
import { readInteger, readLinkName, readLinkTarget, readNames, readValue } from './kernel-file.ts';
import type { Nic } from './machine.ts';
import { findPciAddress, PCI_ROOT, readPcieLink } from './pci.ts';

export const NET_ROOT = '/sys/class/net';

/** A NIC before its interrupts and sessions are known. */
export type NicHardware = Omit<Nic, 'carriesSession' | 'irqs'> & {
  /** Interfaces below it: members of a bond or bridge, the device of a VLAN. */
  readonly lowers: readonly string[];
};

/**
 * Every network interface of this network namespace but the loopback, by name.
 * https://docs.kernel.org/admin-guide/abi-testing.html (/sys/class/net/<iface>)
 */
export async function readNicHardware(reader: HostReader): Promise<readonly NicHardware[]> {
  const names = (await readNames(reader, NET_ROOT)).filter((name) => name !== 'lo');
  const nics = await Promise.all(names.map((name) => readNic(reader, name)));
  return nics.filter((nic) => nic !== undefined);
}

async function readNic(reader: HostReader, name: string): Promise<NicHardware | undefined> {
  const folder = `${NET_ROOT}/${name}`;
  const entries = await readNames(reader, folder);
  // `bonding_masters` is a file among the folders.
  if (entries.length === 0) return undefined;
  const place = await readLinkTarget(reader, folder);
  const bus = findPciAddress(place) ?? (await readLinkName(reader, `${folder}/device`));
  const pci = findPciAddress(bus);
  const pcie = pci === undefined ? undefined : await readPcieLink(reader, pci);
  const queues = await readNames(reader, `${folder}/queues`);
  return {
    name,
    driver: await readDriver(reader, folder),
    bus,
    node: await readNode(reader, folder, pci),
    mac: await readValue(reader, `${folder}/address`),
    mtu: (await readInteger(reader, `${folder}/mtu`)) ?? 0,
    carrier: parseCarrier(await readValue(reader, `${folder}/carrier`)),
    speedMbps: parseSpeed(await readInteger(reader, `${folder}/speed`)),
    physical: entries.includes('device') && !place?.includes('/virtual/'),
    queues: { rx: countQueues(queues, 'rx'), tx: countQueues(queues, 'tx') },
    uppers: namesBehind(entries, 'upper_'),
    lowers: namesBehind(entries, 'lower_'),
    ...(pcie && { pcie }),
    phc: (await readNames(reader, `${folder}/device/ptp`)).find((clock) => /^ptp\d+$/.test(clock)),
  };
}

async function readDriver(reader: HostReader, folder: string): Promise<string | undefined> {
  const driver = await readLinkName(reader, `${folder}/device/driver`);
  return driver ?? /^DRIVER=(.+)$/m.exec((await readValue(reader, `${folder}/device/uevent`)) ?? '')?.[1];
}

/** A virtio device has no node of its own, its PCI function has. -1 is the kernel's "not known". */
async function readNode(reader: HostReader, folder: string, pci: string | undefined): Promise<number | undefined> {
  const paths = [`${folder}/device/numa_node`, ...(pci === undefined ? [] : [`${PCI_ROOT}/${pci}/numa_node`])];
  for (const path of paths) {
    const node = await readInteger(reader, path);
    if (node !== undefined && node >= 0) return node;
  }
  return undefined;
}

/** An interface that is down refuses to say (EINVAL). */
function parseCarrier(text: string | undefined): boolean | undefined {
  return text === '1' ? true : text === '0' ? false : undefined;
}

/** -1 and its unsigned form stand for "not known". */
function parseSpeed(speed: number | undefined): number | undefined {
  return speed !== undefined && speed > 0 && speed < 2 ** 32 - 1 ? speed : undefined;
}

function countQueues(names: readonly string[], direction: 'rx' | 'tx'): number {
  return names.filter((name) => name.startsWith(`${direction}-`)).length;
}

function namesBehind(entries: readonly string[], prefix: string): readonly string[] {
  return entries.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
}
