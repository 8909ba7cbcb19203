import type { HostReader } from '../host/host.ts';
import { readInteger, readNames, readValue } from './kernel-file.ts';
import type { Nic } from './machine.ts';

export const PCI_ROOT = '/sys/bus/pci/devices';

/** Domain, bus, device, function: `0000:3b:00.0`. Domains of some clouds and of VMD have more than four digits. */
export const PCI_ADDRESS = /[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/i;

/** The innermost PCI function in the path of a device. */
export function findPciAddress(path: string | undefined): string | undefined {
  return path?.match(new RegExp(PCI_ADDRESS, 'gi'))?.at(-1);
}

/**
 * The PCI function behind each message-signalled interrupt, from the msi_irqs folders (since 3.2).
 * https://docs.kernel.org/admin-guide/abi-testing.html (/sys/bus/pci/devices/.../msi_irqs)
 */
export async function readMsiOwners(reader: HostReader): Promise<ReadonlyMap<number, string>> {
  const owners = new Map<number, string>();
  for (const address of await readNames(reader, PCI_ROOT)) {
    for (const irq of await readNames(reader, `${PCI_ROOT}/${address}/msi_irqs`)) owners.set(Number(irq), address);
  }
  return owners;
}

/** The width and speed that a link runs at; undefined when the kernel does not say (behind some hypervisors). */
export async function readPcieLink(reader: HostReader, address: string): Promise<Nic['pcie']> {
  const widthLanes = await readInteger(reader, `${PCI_ROOT}/${address}/current_link_width`);
  const speedGTs = parseLinkSpeed(await readValue(reader, `${PCI_ROOT}/${address}/current_link_speed`));
  return widthLanes && speedGTs ? { widthLanes, speedGTs } : undefined;
}

/** `8.0 GT/s PCIe`, before 4.17 `8 GT/s`; undefined for `Unknown`. */
export function parseLinkSpeed(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?) GT\/s/.exec(text?.trim() ?? '');
  return match ? Number(match[1]) : undefined;
}
