import { z } from 'zod';
import { count, durationS, size } from '../../profile/values.ts';
import { keyOf, toggle } from '../knobs/values.ts';

const wholePercent = 'expected a whole share from 1% to 100%, such as 10%, or a size such as 256M';

/** A share of memory (`10%`) or an amount (`256M`): the kernel keeps one of the two. */
const shareOrSize = () =>
  z.union(
    [
      z
        .string()
        .regex(/^(?:100|[1-9]\d?)\s*%$/, wholePercent)
        .transform((text) => ({ ratio: Number.parseInt(text, 10) })),
      size()
        .refine((bytes) => bytes >= 8192, 'expected at least two pages (8K)')
        .transform((bytes) => ({ bytes })),
      z.strictObject({ ratio: count({ min: 1, max: 100 }) }),
      z.strictObject({ bytes: count({ min: 8192 }) }),
    ],
    wholePercent,
  );

const mount = z
  .strictObject({
    target: z
      .string()
      .regex(/^\/\S+$/, 'expected an absolute path')
      .describe('The mount point'),
    gid: count().optional().describe('The group that owns it, by number'),
    mode: z
      .string()
      .regex(/^[0-7]{3,4}$/, 'expected an octal mode such as "1770"')
      .optional()
      .describe('Its mode, octal'),
  })
  .describe('Where pages of this size are mounted; systemd mounts the default size only');

const pool = z
  .strictObject({
    pages: count().optional().describe('Pages on all chosen nodes together, spread evenly'),
    pagesPerNode: count().optional().describe('Pages on each chosen node'),
    nodes: z
      .union([z.enum(['all', 'trading']), z.array(count()).min(1)], 'expected all, trading, or a list of NUMA nodes')
      .default('all')
      .describe('NUMA nodes: all that have memory, those of the isolated CPUs (trading), or a list'),
    at: z
      .enum(['runtime', 'boot'])
      .default('runtime')
      .describe('boot: taken before memory is fragmented, which pages of 1G need; runtime: now and after each boot'),
    mount: mount.optional(),
  })
  .refine((value) => (value.pages === undefined) !== (value.pagesPerNode === undefined), {
    error: 'expected one of pages and pagesPerNode',
  });

const hugepages = z
  .strictObject({
    '2M': pool.optional().describe('Pages of 2 MiB'),
    '1G': pool.optional().describe('Pages of 1 GiB'),
    default: z
      .enum(['2M', '1G'])
      .optional()
      .describe('The size that mmap gives when a program asks for none; set at boot'),
  })
  .describe('Hugepages per NUMA node. https://docs.kernel.org/admin-guide/mm/hugetlbpage.html');

const thp = z
  .strictObject({
    enabled: keyOf('thp.enabled', z.enum(['always', 'madvise', 'never'])),
    defrag: keyOf('thp.defrag', z.enum(['always', 'defer', 'defer+madvise', 'madvise', 'never'])),
    shmem_enabled: keyOf('thp.shmem_enabled', z.enum(['always', 'within_size', 'advise', 'never', 'deny', 'force'])),
    khugepagedDefrag: keyOf('thp.khugepaged_defrag', toggle()),
  })
  .describe('Transparent hugepages');

const dirty = z
  .strictObject({
    limit: shareOrSize().optional().describe('From here on a writing process writes dirty pages out itself and waits'),
    background: shareOrSize().optional().describe('From here on kernel threads write dirty pages out'),
    expire: durationS().optional().describe('Dirty data older than this is written out'),
    writeback: durationS().optional().describe('How often the writeback threads wake; 0 never'),
  })
  .describe('Limits of dirty pages. https://docs.kernel.org/admin-guide/sysctl/vm.html#dirty-bytes');

/** The value of a profile's `memory:` key. Keys that are kernel knobs have the kernel's names. */
export const memoryWanted = z
  .strictObject({
    hugepages: hugepages.optional(),
    thp: thp.optional(),
    ksm: z
      .enum(['off', 'on', 'unmerge'])
      .optional()
      .describe('ksm.run: page merging; off stops it, unmerge also takes merged pages apart'),
    dirty: dirty.optional(),
    swappiness: keyOf('vm.swappiness', count({ max: 200 })),
    numa_balancing: keyOf('kernel.numa_balancing', toggle()),
    zone_reclaim_mode: keyOf('vm.zone_reclaim_mode', count({ max: 7 })),
    stat_interval: keyOf('vm.stat_interval', durationS()),
    compaction_proactiveness: keyOf('vm.compaction_proactiveness', count({ max: 100 })),
    compact_unevictable_allowed: keyOf('vm.compact_unevictable_allowed', toggle()),
    minFree: keyOf('vm.min_free_kbytes', size()),
    watermark_scale_factor: keyOf('vm.watermark_scale_factor', count({ min: 1, max: 3000 })),
    watermark_boost_factor: keyOf('vm.watermark_boost_factor', count()),
    overcommit_memory: keyOf('vm.overcommit_memory', count({ max: 2 })),
    max_map_count: keyOf('vm.max_map_count', count({ min: 1 })),
  })
  .describe('Hugepages, transparent hugepages, page merging, reclaim, NUMA and dirty pages');

export type MemoryWanted = z.output<typeof memoryWanted>;
export type HugepagesWanted = z.output<typeof hugepages>;
export type PoolWanted = z.output<typeof pool>;
export type DirtyWanted = z.output<typeof dirty>;
