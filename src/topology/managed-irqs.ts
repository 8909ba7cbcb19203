import type { HostReader } from '../host/host.ts';
import type { NamedRow } from './irq-names.ts';
import { readValue } from './kernel-file.ts';

/** Since 6.13 (some distributions backport it) an affinity file that nobody can change is not writable for its owner. */
const LIST_READ_ONLY = [
  ...['find', '/proc/irq', '-mindepth', '2', '-maxdepth', '2'],
  ...['-name', 'smp_affinity_list', '!', '-perm', '-u+w'],
];

/**
 * The interrupts whose affinity the kernel manages, found without writing (a write gives EIO, since 6.12 EPERM), from
 * the surest source that this machine has:
 * the mode of smp_affinity_list, which covers per-CPU timers too; debugfs (root, CONFIG_GENERIC_IRQ_DEBUGFS);
 * else what is known of drivers. The last is certain for the queues of nvme and virtio-blk; virtio-scsi manages its
 * request queues, and other storage adapters may, so that a refusal must still be expected when one is moved.
 */
export async function readManagedIrqs(
  reader: HostReader,
  rows: readonly NamedRow[],
  version: readonly [number, number],
): Promise<ReadonlySet<number>> {
  const readOnly = await readReadOnlyAffinities(reader);
  const tellsByMode = version[0] > 6 || (version[0] === 6 && version[1] >= 13);
  if (readOnly && (tellsByMode || readOnly.size > 0)) return readOnly;
  const managed = new Set<number>();
  for (const { row } of rows) {
    const flags = await readValue(reader, `/sys/kernel/debug/irq/irqs/${row.irq}`);
    const isManaged = flags === undefined ? isManagedByDriver(row.actions) : isFlaggedManaged(flags);
    if (isManaged) managed.add(row.irq);
  }
  return managed;
}

async function readReadOnlyAffinities(reader: HostReader): Promise<ReadonlySet<number> | undefined> {
  const found = await reader.query(LIST_READ_ONLY);
  return found.found && found.exitCode === 0 ? parseReadOnlyAffinities(found.stdout) : undefined;
}

export function parseReadOnlyAffinities(listing: string): ReadonlySet<number> {
  return new Set([...listing.matchAll(/^\/proc\/irq\/(\d+)\/smp_affinity_list$/gm)].map((match) => Number(match[1])));
}

/** The state flags in a debugfs dump of one interrupt. */
export function isFlaggedManaged(flags: string): boolean {
  return /\bIRQD_AFFINITY_MANAGED\b/.test(flags);
}

/** Queue 0 of nvme is the admin queue, which can be moved. */
export function isManagedByDriver(actions: readonly string[]): boolean {
  return actions.some((action) => /^nvme\d+q[1-9]\d*$|^virtio\d+-req(?:\.\d+|uest)$/.test(action));
}
