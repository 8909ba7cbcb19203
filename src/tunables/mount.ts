import { HostError } from '../errors.ts';
import { unreadable } from './file.ts';
import type { TunableKind } from './kind.ts';
import type { MountTunable } from './tunable.ts';

/**
 * A mount point that hft owns. Value: `type options` with the options that were asked for; the kernel adds its own
 * (`rw,relatime`), so a mount is right when it has the type and every wanted option. proc(5), /proc/self/mounts.
 */
export const mountKind: TunableKind<MountTunable> = {
  persistent: false,
  async read(reader, tunable) {
    try {
      const text = await reader.readText('/proc/self/mounts');
      if (text === undefined) return { status: 'missing', evidence: '/proc/self/mounts: not there' };
      const line = text.split('\n').findLast((entry) => entry.split(' ')[1] === tunable.target);
      if (line === undefined) return { status: 'value', value: null, evidence: `${tunable.target}: not mounted` };
      const [, , type, options] = line.split(' ');
      return { status: 'value', value: `${type} ${ownOptions(options ?? '')}`, evidence: line };
    } catch (error) {
      return unreadable(error, '/proc/self/mounts');
    }
  },
  canonical(_tunable, value) {
    const [type, options] = value.split(' ');
    return `${type} ${ownOptions(options ?? '')}`;
  },
  async write(host, writes) {
    for (const { tunable, value } of writes) {
      if (value === null) await run(host.execute(['umount', tunable.target]));
      else {
        const [type, options] = value.split(' ') as [string, string];
        await host.makeFolder(tunable.target);
        await run(host.execute(['mount', '-t', type, '-o', options, tunable.source, tunable.target]));
      }
    }
  },
};

/** Options that every mount has say nothing about what was asked for; page sizes are spelled as the kernel prints them. */
function ownOptions(options: string): string {
  const common = new Set(['rw', 'relatime', 'nosuid', 'nodev', 'noexec', 'seclabel']);
  const own = options.split(',').filter((option) => option !== '' && !common.has(option));
  return own
    .map((option) => option.replace(/^pagesize=(\d+)([KMG])$/i, printPageSize))
    .sort()
    .join(',');
}

function printPageSize(_option: string, count: string, unit: string): string {
  const kib = Number(count) * { K: 1, M: 1024, G: 1024 * 1024 }[unit.toUpperCase() as 'K' | 'M' | 'G'];
  return kib % 1024 === 0 ? `pagesize=${kib / 1024}M` : `pagesize=${kib}K`;
}

async function run(result: ReturnType<import('../host/host.ts').Host['execute']>): Promise<void> {
  const done = await result;
  if (!done.found) throw new HostError('run', 'mount', 'ENOENT');
}
