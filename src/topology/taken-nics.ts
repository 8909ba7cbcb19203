import type { HostReader } from '../host/host.ts';
import { readLinkName, readValue } from './kernel-file.ts';
import type { Nic } from './machine.ts';
import type { NicHardware } from './nics.ts';
import { PCI_ADDRESS, PCI_ROOT } from './pci.ts';

/** The udev rule in which hft keeps what it took from the kernel for DPDK, and which gives it to vfio-pci at boot. */
export const TAKEN_RULE = '/etc/udev/rules.d/60-hft-dpdk.rules';

/** A NIC that hft took from its driver, as it was before. The one place that remembers it across boots. */
export interface TakenNic {
  readonly address: string;
  /** PCI ids, `0x8086`: another card at the same address is another device. */
  readonly vendor: string;
  readonly device: string;
  readonly interface: string;
  readonly driver: string;
  readonly node: number | undefined;
  readonly speedMbps: number | undefined;
  readonly carrier: boolean | undefined;
  readonly phc: string | undefined;
}

const HEADER = `# Written by hft tune; removed by hft rollback.
# NICs that DPDK drives are given to vfio-pci before the driver of the kernel takes them. HFT_… says what each one was;
# \`udevadm info\` shows it.
`;

/**
 * The rule for these NICs; null without any. It probes by itself: where vfio-pci was loaded before the override was
 * written, nothing else would. udev(7); Documentation/ABI/testing/sysfs-bus-pci (driver_override).
 */
export function printTaken(nics: readonly TakenNic[]): string | null {
  if (nics.length === 0) return null;
  const sorted = [...nics].sort((left, right) => (left.address < right.address ? -1 : 1));
  return `${HEADER}${sorted.map(printRule).join('')}`;
}

function printRule(nic: TakenNic): string {
  const remembered = Object.entries({
    INTERFACE: nic.interface,
    DRIVER: nic.driver,
    NODE: nic.node,
    SPEED_MBPS: nic.speedMbps,
    LINK: nic.carrier === undefined ? undefined : nic.carrier ? 'up' : 'down',
    PHC: nic.phc,
  }).flatMap(([key, value]) => (value === undefined ? [] : [`ENV{HFT_${key}}="${value}"`]));
  const parts = [
    'ACTION=="add"',
    'SUBSYSTEM=="pci"',
    `KERNEL=="${nic.address}"`,
    `ATTR{vendor}=="${nic.vendor}"`,
    `ATTR{device}=="${nic.device}"`,
    ...remembered,
    'ATTR{driver_override}="vfio-pci"',
    'RUN+="/sbin/modprobe -q vfio-pci"',
    `RUN+="/bin/sh -c 'echo %k > /sys/bus/pci/drivers_probe'"`,
  ];
  return `${parts.join(', ')}\n`;
}

/** What a rule of hft's remembers. A line that is not one whole rule of hft's is no NIC: nothing is made of half of it. */
export function parseTaken(text: string): readonly TakenNic[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const nic = parseRule(line);
      return nic === undefined ? [] : [nic];
    });
}

function parseRule(line: string): TakenNic | undefined {
  const words = new Map(
    [...line.matchAll(/(?:^|, )([A-Za-z_{}]+)[=+]?="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const [address, vendor, device] = ['KERNEL', 'ATTR{vendor}', 'ATTR{device}'].map((key) => words.get(key));
  const [name, driver] = ['ENV{HFT_INTERFACE}', 'ENV{HFT_DRIVER}'].map((key) => words.get(key));
  if (!address || !vendor || !device || !name || !driver || words.get('ATTR{driver_override}') !== 'vfio-pci')
    return undefined;
  if (!new RegExp(`^${PCI_ADDRESS.source}$`, 'i').test(address)) return undefined;
  const link = words.get('ENV{HFT_LINK}');
  const nic = {
    address,
    vendor,
    device,
    interface: name,
    driver,
    node: parseCount(words.get('ENV{HFT_NODE}')),
    speedMbps: parseCount(words.get('ENV{HFT_SPEED_MBPS}')),
    carrier: link === undefined ? undefined : link === 'up',
    phc: words.get('ENV{HFT_PHC}'),
  };
  return `${line}\n` === printRule(nic) ? nic : undefined;
}

function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The NICs that the rule remembers and that are these cards still. */
export async function readTaken(reader: HostReader): Promise<readonly TakenNic[]> {
  const remembered = parseTaken(`${(await readValue(reader, TAKEN_RULE)) ?? ''}\n`);
  const present = await Promise.all(
    remembered.map(async (nic) => {
      const folder = `${PCI_ROOT}/${nic.address}`;
      const ids = [await readValue(reader, `${folder}/vendor`), await readValue(reader, `${folder}/device`)];
      return ids[0] === nic.vendor && ids[1] === nic.device;
    }),
  );
  return remembered.filter((_, index) => present[index]);
}

/**
 * Taken NICs as NICs of the machine, so that what is decided by the NIC (which CPUs are near it) is decided as before it
 * was taken. Those that the driver of the kernel has again are among `known` already.
 */
export async function readTakenHardware(
  reader: HostReader,
  known: readonly Pick<Nic, 'name' | 'bus'>[],
): Promise<readonly NicHardware[]> {
  const taken = await readTaken(reader);
  const gone = taken.filter((nic) => !known.some(({ name, bus }) => name === nic.interface || bus === nic.address));
  return Promise.all(
    gone.map(async (nic) => ({
      name: nic.interface,
      driver: nic.driver,
      bus: nic.address,
      node: nic.node,
      mac: undefined,
      mtu: 0,
      carrier: nic.carrier,
      speedMbps: nic.speedMbps,
      physical: true,
      queues: { rx: 0, tx: 0 },
      uppers: [],
      lowers: [],
      phc: undefined,
      taken: { by: (await readLinkName(reader, `${PCI_ROOT}/${nic.address}/driver`)) ?? 'no driver', phc: nic.phc },
    })),
  );
}
