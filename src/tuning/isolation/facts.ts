import type { HostReader } from '../../host/host.ts';
import { type MovableThread, observeThreads } from '../../topology/kernel-threads.ts';
import { type BootFacts, readBootFacts } from '../../tunables/boot/facts.ts';
import type { Isolation } from './schema.ts';

export interface IsolationFacts {
  readonly boot: BootFacts;
  /** /sys/devices/system/cpu/nohz_full is there: the kernel is built with CONFIG_NO_HZ_FULL. */
  readonly hasNohzFull: boolean;
  readonly hasSystemd: boolean;
  /** The cgroup v2 tree at /sys/fs/cgroup offers the cpuset controller. */
  readonly hasCpusetV2: boolean;
  readonly threads: readonly MovableThread[];
}

export const NOHZ_FULL = '/sys/devices/system/cpu/nohz_full';
export const ISOLATED = '/sys/devices/system/cpu/isolated';

export async function observeIsolation(host: HostReader, wanted?: Isolation): Promise<IsolationFacts> {
  const cpuFolder = (await host.list('/sys/devices/system/cpu')) ?? [];
  const controllers = await host.readText('/sys/fs/cgroup/cgroup.controllers');
  return {
    boot: await readBootFacts(host),
    hasNohzFull: cpuFolder.includes('nohz_full'),
    hasSystemd: (await host.list('/run/systemd/system')) !== undefined,
    hasCpusetV2: (controllers ?? '').split(/\s+/).includes('cpuset'),
    threads: wanted?.method === 'partition' ? await observeThreads(host) : [],
  };
}
