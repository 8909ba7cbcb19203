import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';

/** A process that has a device open through VFIO. */
export interface VfioUser {
  readonly pid: number;
  readonly command: string;
}

/** The IOMMU group of a PCI device; undefined when it has none. */
export async function readIommuGroup(reader: HostReader, address: string): Promise<string | undefined> {
  return (await reader.readLink(`/sys/bus/pci/devices/${address}/iommu_group`))?.split('/').pop();
}

/**
 * The processes that hold the group of a device. While one does, the kernel blocks whoever unbinds the device until it
 * lets go (vfio_unregister_group_dev), so it is asked for before.
 */
export async function findVfioUsers(reader: HostReader, address: string): Promise<readonly VfioUser[]> {
  const group = await readIommuGroup(reader, address);
  if (group === undefined) return [];
  const pids = ((await reader.list('/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  const users: VfioUser[] = [];
  for (const pid of pids) {
    if (await holds(reader, pid, `/dev/vfio/${group}`)) {
      users.push({ pid: Number(pid), command: (await reader.readText(`/proc/${pid}/comm`))?.trim() ?? '?' });
    }
  }
  return users;
}

async function holds(reader: HostReader, pid: string, path: string): Promise<boolean> {
  try {
    for (const fd of (await reader.list(`/proc/${pid}/fd`)) ?? []) {
      if ((await reader.readLink(`/proc/${pid}/fd/${fd}`)) === path) return true;
    }
    return false;
  } catch (error) {
    // It ended while it was looked at, or is not ours to look at.
    if (error instanceof HostError) return false;
    throw error;
  }
}
