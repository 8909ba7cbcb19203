import { HostError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { type CpuSet, isSubset, parseCpulist, printCpulist } from '../topology/cpulist.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { SliceCpusTunable } from './tunable.ts';

/**
 * AllowedCPUs= of a running slice or scope, set through systemd, which owns the cgroup tree, and read from the cgroup
 * (`systemctl show` is silent about it). null: no limit of its own. systemd.resource-control(5)
 */
export const sliceCpusKind: TunableKind<SliceCpusTunable> = {
  persistent: false,
  async read(reader, { unit }) {
    const path = cpusFile(unit);
    try {
      const text = (await reader.readText(path))?.trim();
      if (text === undefined || text === '') return { status: 'value', value: null, evidence: `${path}: no limit` };
      const cpus = parseCpulist(text);
      const online = await onlineCpus(reader);
      const isAll = online.length > 0 && isSubset(online, cpus);
      return { status: 'value', value: isAll ? null : printCpulist(cpus), evidence: `${path}: ${text}` };
    } catch (error) {
      return unreadable(error, path);
    }
  },
  canonical: (_tunable, value) => printCpulist(parseCpulist(value)),
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) await lift(host, tunable.unit);
      else
        await systemctl(host, ['set-property', '--runtime', tunable.unit, `AllowedCPUs=${value.replaceAll(',', ' ')}`]);
    }
  },
};

/** systemd forgets the limit and leaves it in the cgroup (252), and its own drop-in in /run: both are cleared here. */
async function lift(host: Host, unit: string): Promise<void> {
  await systemctl(host, ['set-property', '--runtime', unit, 'AllowedCPUs=']);
  for (const place of DROP_IN_PLACES) await removeDropIn(host, `${place}/${unit}.d`);
  const left = await host.readText(cpusFile(unit));
  // A cgroup with processes cannot be given the empty list back (ENOSPC); all CPUs are no limit either.
  if (left !== undefined && left.trim() !== '')
    await host.writeText(cpusFile(unit), printCpulist(await onlineCpus(host)));
}

/** Where systemd keeps what was set at run time: of units with a file, and of those that it made itself (init.scope). */
const DROP_IN_PLACES = ['/run/systemd/system.control', '/run/systemd/transient'];

async function removeDropIn(host: Host, folder: string): Promise<void> {
  if ((await host.readText(`${folder}/50-AllowedCPUs.conf`)) === undefined) return;
  await host.removeFile(`${folder}/50-AllowedCPUs.conf`);
  if ((await host.list(folder))?.length === 0) await host.removeFolder(folder);
  await systemctl(host, ['daemon-reload']);
}

async function onlineCpus(reader: HostReader): Promise<CpuSet> {
  return parseCpulist((await reader.readText('/sys/devices/system/cpu/online')) ?? '');
}

async function systemctl(host: Host, args: readonly string[]): Promise<void> {
  const result = await host.execute(['systemctl', ...args]);
  if (!result.found) throw new HostError('run', 'systemctl', 'ENOENT');
}

function cpusFile(unit: string): string {
  return `/sys/fs/cgroup/${unit}/cpuset.cpus`;
}
