import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { CgroupTunable } from './tunable.ts';

/** A cgroup v2 folder that hft owns. Gone after a reboot. https://docs.kernel.org/admin-guide/cgroup-v2.html */
export const cgroupKind: TunableKind<CgroupTunable> = {
  persistent: false,
  async read(reader, tunable) {
    try {
      const names = await reader.list(tunable.path);
      const value = names === undefined ? null : 'present';
      return { status: 'value', value, evidence: `${tunable.path}: ${value ?? 'not there'}` };
    } catch (error) {
      return unreadable(error, tunable.path);
    }
  },
  canonical: (_tunable, value) => value,
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) await host.removeFolder(tunable.path);
      else await host.makeFolder(tunable.path);
    }
  },
};
