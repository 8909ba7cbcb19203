import type { HostReader } from '../host/host.ts';
import { type InterruptRow, parseInterrupts } from './interrupts.ts';
import { makeUnique, type NamedRow, nameIrq } from './irq-names.ts';
import { readCpulist, readNames, readValue } from './kernel-file.ts';
import type { Irq, Nic } from './machine.ts';
import { readManagedIrqs } from './managed-irqs.ts';
import { findPciAddress, readMsiOwners } from './pci.ts';

/**
 * Every interrupt that a driver asked for, ascending. Interrupts of the CPUs themselves (NMI, LOC) are not among them.
 * https://docs.kernel.org/core-api/irq/irq-affinity.html. `nics` name what their PCI functions raise.
 */
export async function readIrqs(
  reader: HostReader,
  nics: readonly Nic[],
  version: readonly [number, number],
): Promise<readonly Irq[]> {
  const rows = parseInterrupts((await readValue(reader, '/proc/interrupts')) ?? '').filter(
    ({ actions }) => actions.length > 0,
  );
  const named = makeUnique(await nameRows(reader, rows, nics));
  const managed = await readManagedIrqs(reader, named, version);
  return Promise.all(
    named.map(async ({ row, device, queue }) => {
      const affinity = (await readCpulist(reader, `/proc/irq/${row.irq}/smp_affinity_list`)) ?? [];
      // Kernels without CONFIG_GENERIC_IRQ_EFFECTIVE_AFF_MASK tell only what was asked for.
      const effective = (await readCpulist(reader, `/proc/irq/${row.irq}/effective_affinity_list`)) ?? affinity;
      return { irq: row.irq, device, queue, managed: managed.has(row.irq), actions: row.actions, affinity, effective };
    }),
  );
}

async function nameRows(
  reader: HostReader,
  rows: readonly InterruptRow[],
  nics: readonly Nic[],
): Promise<readonly NamedRow[]> {
  // Kernels before 6.2 do not name the device in the controller's name.
  const isUnowned = ({ chip }: InterruptRow) => /MSI/.test(chip) && findPciAddress(chip) === undefined;
  const owners = rows.some(isUnowned) ? await readMsiOwners(reader) : new Map<number, string>();
  const disks = await readVirtioDisks(reader, rows);
  // One PCI function may have several interfaces (ports of mlx4, representors): the shortest name is the port itself.
  const byLength = [...nics].sort((left, right) => left.name.length - right.name.length);
  return rows.map((row) => {
    const pci = findPciAddress(row.chip) ?? owners.get(row.irq);
    const owned = pci === undefined ? byLength : byLength.filter((nic) => nic.bus === pci);
    // Sorted: drivers attach to a shared line in whatever order they load.
    const action = [...row.actions].sort()[0] as string;
    return { row, pci, ...nameIrq(action, { pci, nics: owned, diskOf: (device) => disks.get(device) }) };
  });
}

async function readVirtioDisks(
  reader: HostReader,
  rows: readonly InterruptRow[],
): Promise<ReadonlyMap<string, string>> {
  const actions = rows.flatMap((row) => row.actions);
  const devices = new Set(
    actions.flatMap((action) => /^(virtio\d+)-(?:req|config|virtqueues)/.exec(action)?.[1] ?? []),
  );
  const disks = new Map<string, string>();
  for (const device of devices) {
    const [disk] = await readNames(reader, `/sys/bus/virtio/devices/${device}/block`);
    if (disk !== undefined) disks.set(device, disk);
  }
  return disks;
}
