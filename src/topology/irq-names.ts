import type { InterruptRow } from './interrupts.ts';
import type { Irq } from './machine.ts';
import { PCI_ADDRESS } from './pci.ts';

/** Who raises an interrupt, as ids name it: the same on every boot. */
export type IrqName = Pick<Irq, 'device' | 'queue'>;

/** `ens1f0/rx-3`, `nvme0/q3`, `rtc0`: the same on every boot, unlike the IRQ number. White space would end the id. */
export function nameTarget({ device, queue }: IrqName): string {
  return (queue === '' ? device : `${device}/${queue}`).replaceAll(/\s+/g, '-');
}

/** A NIC that an action may belong to. */
export interface NamedNic {
  readonly name: string;
  readonly driver: string | undefined;
  readonly bus: string | undefined;
}

/** What is known about the device of one interrupt. */
export interface IrqOwner {
  /** PCI address of the function that raises it, when it is a message-signalled one. */
  readonly pci: string | undefined;
  /** The NICs of that function; every NIC when the function is not known. */
  readonly nics: readonly NamedNic[];
  /** Disks of a virtio device, by its name (`virtio3`: `vda`). */
  readonly diskOf: (virtioDevice: string) => string | undefined;
}

/**
 * Device and queue of an interrupt from its action. Drivers name them in many ways: `eth0-TxRx-3` (igb, ixgbe, bnxt),
 * `i40e-eth0-TxRx-3`, `ice-eth0-TxRx-3`, `iavf-eth0-TxRx-3`, `mlx5_comp3@pci:0000:3b:00.0`, `mlx4-3@0000:03:00.0`,
 * `eth0-Tx-Rx-3` and `ena-mgmnt@pci:...` (ena), `eth0-3` (sfc), `eth0-rxtx-3` (vmxnet3), `virtio0-input.0`,
 * `nvme0q3`, `virtio2-req.0` (virtio-blk), `ahci[0000:00:17.0]`. Where the PCI function is known, its NIC owns the
 * interrupt whatever the name; else the name must begin with the interface.
 */
export function nameIrq(action: string, { pci, nics, diskOf }: IrqOwner): IrqName {
  const virtio = /^(?<device>virtio\d+)-(?<queue>.+)$/.exec(action)?.groups;
  const owner = pci === undefined ? nics.find(({ bus }) => bus !== undefined && bus === virtio?.device) : nics[0];
  const nic = findNamed(action, nics) ?? owner;
  if (nic) return { device: nic.name, queue: nameQueue(action, nic) };
  const nvme = /^(?<device>nvme\d+)(?<queue>q\d+)$/.exec(action)?.groups;
  if (nvme) return { device: nvme.device as string, queue: nvme.queue as string };
  if (virtio)
    return { device: diskOf(virtio.device as string) ?? (virtio.device as string), queue: virtio.queue as string };
  return { device: action, queue: '' };
}

/** The NIC that a name speaks of, the longest name first: `eth0.5-rx-0` is not of `eth0`. */
function findNamed(action: string, nics: readonly NamedNic[]): NamedNic | undefined {
  return nics
    .filter(({ name }) => new RegExp(`(?:^|[-:@])${escapePattern(name)}(?![\\w.])`).test(action))
    .sort((left, right) => right.name.length - left.name.length)[0];
}

/** What is left of an action without driver, interface and PCI address. */
function nameQueue(action: string, nic: NamedNic): string {
  const driver = nic.driver ?? '';
  const prefixes = [driver, driver.replace(/_(?:core|net|en)$/, '')]
    .filter((prefix) => prefix !== '')
    .map(escapePattern);
  return action
    .replace(/@pci:.*$/, '')
    .replace(new RegExp(`[-@:]?${PCI_ADDRESS.source}`, 'i'), '')
    .replace(new RegExp(`^(?:${[...prefixes, 'virtio\\d+', 'mlx[45]'].join('|')})(?=[-_:]|$)`), '')
    .replace(/^[-_:]+/, '')
    .replace(new RegExp(`^(?:${escapePattern(nic.name)}|eth\\d+)(?![\\w.])`), '')
    .replace(/^[-_.:@\s]+|[-_.:@\s]+$/g, '');
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** An interrupt with its name and what can tell it from another with the same name. */
export interface NamedRow extends IrqName {
  readonly row: InterruptRow;
  readonly pci: string | undefined;
}

/**
 * Makes `device/queue` unique: by PCI address (`PCIe PME` of twenty ports), then by the vector or pin number too, which
 * are the same on every boot as well. The IRQ number, which is not, is the last resort.
 */
export function makeUnique(named: readonly NamedRow[]): readonly NamedRow[] {
  const byKey = new Map<string, NamedRow[]>();
  for (const each of named) byKey.set(keyOf(each), [...(byKey.get(keyOf(each)) ?? []), each]);
  const unique = new Map(
    [...byKey.values()]
      .flatMap((group) => (group.length === 1 ? group : tellApart(group)))
      .map((each) => [each.row.irq, each]),
  );
  return named.map((each) => unique.get(each.row.irq) as NamedRow);
}

/** Ids fold white space: two names that differ by it only are one. */
function keyOf({ device, queue }: IrqName): string {
  return `${device}/${queue}`.replaceAll(/\s+/g, '-');
}

const DISTINCTIONS: readonly ((named: NamedRow) => string | undefined)[] = [
  ({ pci }) => pci,
  ({ row }) => (row.hardwareNumber === undefined ? undefined : `hwirq-${row.hardwareNumber}`),
  ({ pci, row }) =>
    pci === undefined || row.hardwareNumber === undefined ? undefined : `${pci}-${row.hardwareNumber}`,
  ({ row }) => `${row.chip.replaceAll(/\s+/g, '-')}-${row.hardwareNumber ?? ''}`,
  ({ row }) => `irq-${row.irq}`,
];

function tellApart(group: readonly NamedRow[]): readonly NamedRow[] {
  for (const distinctionOf of DISTINCTIONS) {
    const distinctions = group.map(distinctionOf);
    if (distinctions.includes(undefined) || new Set(distinctions).size < group.length) continue;
    return group.map((each, at) => ({ ...each, queue: [each.queue, distinctions[at]].filter(Boolean).join('-') }));
  }
  return group;
}
