import { HostError } from '../errors.ts';
import { parseCpulist, printCpulist } from '../topology/cpulist.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { SliceCpusTunable } from './tunable.ts';

const ROOT = '/sys/fs/cgroup';

/**
 * AllowedCPUs= of a running slice or scope, set through systemd, which owns the cgroup tree, and read from the cgroup
 * (`systemctl show` is silent about it). null: no limit of its own. systemd.resource-control(5)
 */
export const sliceCpusKind: TunableKind<SliceCpusTunable> = {
  persistent: false,
  async read(reader, { unit }) {
    const path = `${ROOT}/${unit}/cpuset.cpus`;
    try {
      const text = (await reader.readText(path))?.trim();
      if (text === undefined || text === '') return { status: 'value', value: null, evidence: `${path}: no limit` };
      return { status: 'value', value: printCpulist(parseCpulist(text)), evidence: `${path}: ${text}` };
    } catch (error) {
      return unreadable(error, path);
    }
  },
  canonical: (_tunable, value) => printCpulist(parseCpulist(value)),
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      const property = `AllowedCPUs=${(value ?? '').replaceAll(',', ' ')}`;
      const result = await host.execute(['systemctl', 'set-property', '--runtime', tunable.unit, property]);
      if (!result.found) throw new HostError('run', 'systemctl', 'ENOENT');
    }
  },
};
