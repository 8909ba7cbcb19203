import { defineDomain } from '../domain.ts';
import { catalogue } from '../knobs/catalogue.ts';
import { type Directories, foldersOf, isWhole, listDirectories } from '../knobs/directories.ts';
import { joinDesired, type KnobWish, wishKnobs } from '../knobs/wish.ts';
import { wishDirtyLimits } from './dirty.ts';
import { desireHugepages } from './hugepages.ts';
import type { MemoryWanted } from './schema.ts';

export interface MemoryFacts {
  readonly directories: Directories;
}

const KSM_RUN = { off: 0, on: 1, unmerge: 2 } as const;

/** Hugepages and everything else that decides when memory makes a thread wait. */
export const memoryDomain = defineDomain<MemoryWanted, MemoryFacts>({
  name: 'memory',
  schema: async () => (await import('./schema.ts')).memoryWanted,
  async observe(host) {
    const knobs = catalogue.filter((knob) => knob.key?.startsWith('memory.'));
    return { directories: await listDirectories(host, foldersOf(knobs)) };
  },
  desire(wanted, { directories }, machine) {
    const facts = { kernel: machine.kernel, directories };
    const hugepages =
      wanted.hugepages === undefined
        ? { settings: [], refused: [] }
        : desireHugepages(wanted.hugepages, { machine, isWhole: isWhole(directories) });
    return joinDesired(hugepages, wishKnobs(wishAll(wanted), facts));
  },
});

/**
 * min_free_kbytes comes first: turning transparent hugepages off makes the kernel lower it (90112 to 6746 was seen), but
 * never below what was written to it.
 */
function wishAll(wanted: MemoryWanted): readonly KnobWish[] {
  const { thp, ksm, dirty } = wanted;
  return [
    ...wish('vm.min_free_kbytes', wanted.minFree === undefined ? undefined : Math.ceil(wanted.minFree / 1024)),
    ...wish('thp.enabled', thp?.enabled),
    ...wish('thp.defrag', thp?.defrag),
    ...wish('thp.shmem_enabled', thp?.shmem_enabled),
    ...wish('thp.khugepaged_defrag', thp?.khugepagedDefrag),
    ...wish('ksm.run', ksm === undefined ? undefined : KSM_RUN[ksm]),
    ...wish('vm.swappiness', wanted.swappiness),
    ...wish('kernel.numa_balancing', wanted.numa_balancing),
    ...wish('vm.zone_reclaim_mode', wanted.zone_reclaim_mode),
    ...wish('vm.stat_interval', wanted.stat_interval),
    ...(dirty === undefined ? [] : wishDirtyLimits(dirty)),
    ...wish('vm.compaction_proactiveness', wanted.compaction_proactiveness),
    ...wish('vm.compact_unevictable_allowed', wanted.compact_unevictable_allowed),
    ...wish('vm.watermark_scale_factor', wanted.watermark_scale_factor),
    ...wish('vm.watermark_boost_factor', wanted.watermark_boost_factor),
    ...wish('vm.overcommit_memory', wanted.overcommit_memory),
    ...wish('vm.max_map_count', wanted.max_map_count),
  ];
}

function wish(knob: string, value: string | number | undefined): readonly KnobWish[] {
  return value === undefined ? [] : [{ domain: 'memory', knob, value: String(value) }];
}
