import type { HostReader } from '../host/host.ts';
import { readIrqs } from './irqs.ts';
import { readKernel } from './kernel.ts';
import { readValue } from './kernel-file.ts';
import type { Irq, Machine, Nic } from './machine.ts';
import { type NicHardware, readNicHardware } from './nics.ts';
import { readServices } from './services.ts';
import { readSessionInterfaces } from './sessions.ts';
import { readTakenHardware } from './taken-nics.ts';
import { readTopology } from './topology.ts';

export interface ReadOptions {
  /** $SSH_CONNECTION of whoever asks, so that its NIC is known also where sshd listens on another port than 22. */
  readonly sshConnection?: string;
}

/**
 * Reads a machine once, from /proc and /sys alone where they suffice. What a machine lacks, or does not let us read, is
 * undefined or empty. Throws UsageError when there are no CPUs or a CPU set is unreadable: then it is no machine.
 */
export async function readMachine(reader: HostReader, options: ReadOptions = {}): Promise<Machine> {
  const cpuinfo = (await readValue(reader, '/proc/cpuinfo')) ?? '';
  const topology = await readTopology(reader, cpuinfo);
  const kernel = await readKernel(reader, cpuinfo);
  const present = await readNicHardware(reader);
  const hardware = [...present, ...(await readTakenHardware(reader, present))];
  const sessions = await readSessionInterfaces(reader, hardware, options.sshConnection);
  const withoutIrqs = hardware.map((nic) => asNic(nic, sessions, []));
  const irqs = await readIrqs(reader, withoutIrqs, kernel.version);
  const nics = hardware.map((nic) => asNic(nic, sessions, irqs));
  const host = (await readValue(reader, '/proc/sys/kernel/hostname')) ?? reader.label;
  return { host, kernel, topology, irqs, nics, services: await readServices(reader) };
}

function asNic({ lowers: _, ...nic }: NicHardware, sessions: ReadonlySet<string>, irqs: readonly Irq[]): Nic {
  const own = irqs.filter(({ device }) => device === nic.name).map(({ irq }) => irq);
  return { ...nic, carriesSession: sessions.has(nic.name), irqs: own };
}
