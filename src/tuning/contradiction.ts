import { HftError } from '../errors.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import type { Nic } from '../topology/machine.ts';
import { selectNics } from '../topology/nic-selection.ts';
import { BIFURCATED } from './dpdk/guard.ts';
import type { DpdkWanted } from './dpdk/schema.ts';
import type { PtpWanted } from './ptp/schema.ts';

/** Two parts of a profile that this machine cannot have together. Exit 2. `path`: of one of them in the profile, `dpdk.devices.0`. */
export class Contradiction extends HftError {
  readonly path: string;

  constructor(path: string, message: string, next: readonly string[]) {
    super(`${path}: ${message}`, { exitCode: 2, next });
    this.path = path;
  }
}

/** Domains know nothing of each other: what two of them want of one device is looked at here. Throws Contradiction. */
export function refuseContradictions(wanted: Readonly<Record<string, unknown>>, machine: PlacedMachine): void {
  const { ptp, dpdk } = wanted as { readonly ptp?: PtpWanted; readonly dpdk?: DpdkWanted };
  if (ptp === undefined || dpdk === undefined) return;
  for (const [index, selector] of dpdk.devices.entries()) {
    for (const nic of selectNics([nameOf(selector, machine)], machine.nics).nics) {
      const use = BIFURCATED.includes(nic.driver ?? '') ? undefined : findUse(nic, ptp, machine);
      if (use === undefined) continue;
      const message = `${nic.name} is also ${use}, and a NIC that vfio-pci has has no interface and no PTP clock`;
      throw new Contradiction(`dpdk.devices.${index}`, `${message}.`, [
        `Take ${nic.name} out of one of the two: name another NIC, or a port of another card.`,
        `Or give DPDK virtual functions of it (dpdk.vfs: [{ of: ${nic.name}, count: 1 }]): it stays with the kernel, with its clock.`,
      ]);
    }
  }
}

function nameOf(selector: string, { layout }: PlacedMachine): string {
  return selector === 'trading' ? (layout.nic ?? selector) : selector;
}

/** What time needs this NIC for, in words: as a port, below the VLAN that is one, or for pulses. */
function findUse(nic: Nic, { interfaces, ts2phc }: PtpWanted, machine: PlacedMachine): string | undefined {
  const isOn = (name: string) => name === nic.name || name.startsWith(`${nic.name}.`) || nic.uppers.includes(name);
  const port = interfaces.find((name) => isOn(nameOf(name, machine)));
  if (port !== undefined)
    return port === nic.name ? 'a port of ptp.interfaces' : `what ${port} of ptp.interfaces stands for or sits on`;
  return ts2phc !== undefined && isOn(ts2phc.interface) ? 'where the pulses of ptp.ts2phc come in' : undefined;
}
