import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { unreadable } from './file.ts';
import type { TunableKind, Write } from './kind.ts';
import { listLacking, readInterfaceState, restoreInterface } from './pci/interface-state.ts';
import { findVfioUsers } from './pci/vfio-users.ts';
import type { InterfaceState, PciDriverTunable, Reading } from './tunable.ts';

const DEVICES = '/sys/bus/pci/devices';
const DRIVERS = '/sys/bus/pci/drivers';
const USERSPACE_DRIVER = 'vfio-pci';
const HALF_BACK = ', not all back yet';

/**
 * The driver of a PCI device. hft's udev rule gives the device to vfio-pci at every boot, so an undo has to act after a
 * reboot too. Given back, the driver starts with its own defaults: the undo puts the interface back as it was, and is done
 * only when all of that is there again.
 */
export const pciDriverKind: TunableKind<PciDriverTunable> = {
  persistent: true,
  async read(reader, tunable) {
    try {
      return await readDriver(reader, tunable);
    } catch (error) {
      return unreadable(error, `${DEVICES}/${tunable.address}/driver`);
    }
  },
  canonical: (_tunable, value) => value.trim(),
  isHalfBack: (value) => value.endsWith(HALF_BACK),
  async remember(reader, tunable) {
    if (tunable.before !== undefined) return tunable;
    const driver = await driverOf(reader, tunable.address);
    if (driver === USERSPACE_DRIVER) return tunable;
    const override = parseOverride(await reader.readText(`${DEVICES}/${tunable.address}/driver_override`));
    const name = await interfaceOf(reader, tunable.address);
    const state = name === undefined ? undefined : await readInterfaceState(reader, name);
    return { ...tunable, before: { driver: driver ?? null, override, ...(state && { interface: state }) } };
  },
  async write(host, writes) {
    for (const write of writes) {
      if (write.value === USERSPACE_DRIVER) await take(host, write.tunable.address);
      else await giveBack(host, write);
    }
  },
};

async function readDriver(reader: HostReader, { address, before }: PciDriverTunable): Promise<Reading> {
  const folder = `${DEVICES}/${address}`;
  if ((await reader.list(folder)) === undefined) return { status: 'missing', evidence: `${folder}: not there` };
  const driver = await driverOf(reader, address);
  const override = parseOverride(await reader.readText(`${folder}/driver_override`));
  const isHalfBack = before !== undefined && override === before.driver && override !== before.override;
  if (driver === undefined && !isHalfBack) return { status: 'value', value: null, evidence: `${folder}/driver: none` };
  const isOld = before !== undefined && (driver ?? before.driver) === before.driver;
  const differing = isHalfBack && isOld ? HALF_BACK : isOld ? await readDiffering(reader, before, override) : '';
  const value = `${driver ?? before?.driver}${differing}`;
  return { status: 'value', value, evidence: `${folder}/driver: ${driver ?? 'none'}${differing}` };
}

/** Added to the name of the old driver while not everything is as it was with it. */
async function readDiffering(
  reader: HostReader,
  before: NonNullable<PciDriverTunable['before']>,
  override: string | null,
): Promise<string> {
  if (override !== before.override) return `, override ${override ?? 'none'}`;
  if (before.interface === undefined) return '';
  const lacking = listLacking(before.interface, await readInterfaceState(reader, before.interface.name));
  return lacking.length === 0 ? '' : ` without ${lacking.join(', ')}`;
}

async function take(host: Host, address: string): Promise<void> {
  if ((await host.list(`${DRIVERS}/${USERSPACE_DRIVER}`)) === undefined) {
    const loaded = await host.execute(['modprobe', USERSPACE_DRIVER]);
    if (!loaded.found) throw new HostError('run', 'modprobe', 'ENOENT');
    if ((await host.list(`${DRIVERS}/${USERSPACE_DRIVER}`)) === undefined)
      throw new HostError('load', `the module ${USERSPACE_DRIVER}`, 'ENOENT', {
        next: ['`dmesg` tells why it did not load.'],
      });
  }
  await host.writeText(`${DEVICES}/${address}/driver_override`, USERSPACE_DRIVER);
  await rebind(host, address);
  if ((await driverOf(host, address)) !== USERSPACE_DRIVER)
    throw new HostError('bind', `${address} to ${USERSPACE_DRIVER}`, 'EINVAL', {
      next: [`\`dmesg | grep ${address}\` tells why.`],
    });
}

/**
 * The override names the old driver until everything is back: so an undo that was cut off is known as such, and is not
 * taken for somebody's change. At last it gets its old value; an empty line takes it away.
 */
async function giveBack(host: Host, { tunable, value }: Write<PciDriverTunable>): Promise<void> {
  const { address, before } = tunable;
  const overridePath = `${DEVICES}/${address}/driver_override`;
  await refuseUsed(host, address);
  if (value === null) await unbind(host, address);
  else {
    await host.writeText(overridePath, value);
    if ((await host.list(`${DRIVERS}/${value}`)) === undefined) await host.execute(['modprobe', value]);
    if ((await driverOf(host, address)) !== value) await rebind(host, address);
    if (before?.interface !== undefined) await restoreNamed(host, address, before.interface);
  }
  await host.writeText(overridePath, before?.override ?? '\n');
}

/** The kernel would block until the process lets go. */
async function refuseUsed(host: Host, address: string): Promise<void> {
  const users = await findVfioUsers(host, address);
  const [user] = users;
  if (user === undefined) return;
  throw new HostError('give back', `${address}, which ${user.command} (pid ${user.pid}) uses`, 'EBUSY', {
    next: [`End process ${users.map(({ pid }) => pid).join(', ')}, then run it again.`],
  });
}

/** udev names an interface a moment after its driver made it; where it gives another name, the old one is given here. */
async function restoreNamed(host: Host, address: string, had: InterfaceState): Promise<void> {
  await host.execute(['udevadm', 'settle', '--timeout=10']);
  const name = await interfaceOf(host, address);
  if (name !== undefined && name !== had.name) await host.execute(['ip', 'link', 'set', 'dev', name, 'name', had.name]);
  await restoreInterface(host, had);
}

async function rebind(host: Host, address: string): Promise<void> {
  await unbind(host, address);
  await host.writeText('/sys/bus/pci/drivers_probe', address);
}

async function unbind(host: Host, address: string): Promise<void> {
  const driver = await driverOf(host, address);
  if (driver !== undefined) await host.writeText(`${DRIVERS}/${driver}/unbind`, address);
}

async function driverOf(reader: HostReader, address: string): Promise<string | undefined> {
  return (await reader.readLink(`${DEVICES}/${address}/driver`))?.split('/').pop();
}

/** The one network interface of a device; a device with several ports is taken port by port elsewhere. */
async function interfaceOf(reader: HostReader, address: string): Promise<string | undefined> {
  const names = (await reader.list(`${DEVICES}/${address}/net`)) ?? [];
  return names[0];
}

/** The kernel prints `(null)` where there is none. */
export function parseOverride(text: string | undefined): string | null {
  const word = text?.trim() ?? '';
  return word === '' || word === '(null)' ? null : word;
}
