import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { CpusetPartitionTunable } from './tunable.ts';

/**
 * The partition state of a slice: `isolated`, `root`, or what the kernel says of an invalid one. `member` and a slice that
 * is not there are null. A write of `isolated` succeeds and can still leave it invalid: the reading decides.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset-interface-files
 */
export const cpusetPartitionKind: TunableKind<CpusetPartitionTunable> = {
  persistent: false,
  async read(reader, tunable) {
    const path = pathOf(tunable);
    try {
      const text = (await reader.readText(path))?.trim();
      const value = text === undefined || text === 'member' ? null : text;
      return { status: 'value', value, evidence: `${path}: ${text ?? 'not there'}` };
    } catch (error) {
      return unreadable(error, path);
    }
  },
  canonical: (_tunable, value) => value.trim(),
  async write(host, writes) {
    for (const { tunable, value } of writes) await host.writeText(pathOf(tunable), value ?? 'member');
  },
};

function pathOf({ unit }: CpusetPartitionTunable): string {
  return `/sys/fs/cgroup/${unit}/cpuset.cpus.partition`;
}
