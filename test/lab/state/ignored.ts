/** A place that changes on an untouched machine, and why. `only` names the condition under which it does. */
export interface Ignored {
  readonly pattern: RegExp;
  readonly reason: string;
  readonly only?: 'irqbalance runs';
}

/** Found by capturing an untouched guest twice and across a reboot (parts/01-state.ts repeats that). */
export const ignoredState: readonly Ignored[] = [
  {
    pattern: /^\/proc\/sys\/fs\/(dentry-state|file-nr|inode-nr|inode-state)$/,
    reason: 'counters of caches and open files',
  },
  { pattern: /^\/proc\/sys\/fs\/quota\//, reason: 'counters' },
  { pattern: /^\/proc\/sys\/kernel\/ns_last_pid$/, reason: 'the last process id' },
  { pattern: /^\/proc\/sys\/kernel\/random\/(uuid|boot_id|entropy_avail)$/, reason: 'new at every read or boot' },
  { pattern: /^\/proc\/sys\/net\/core\/netdev_rss_key$/, reason: 'random at every boot' },
  { pattern: /^\/proc\/sys\/vm\/(user|admin)_reserve_kbytes$/, reason: 'follows the free memory at boot' },
  {
    pattern: /^\/sys\/devices\/system\/cpu\/cpu\d+\/crash_notes$/,
    reason: 'the physical address of memory that was free early in this boot',
  },
  { pattern: /^\/sys\/devices\/system\/cpu\/hotplug\/states$/, reason: 'numbers are given as modules load' },
  {
    pattern:
      /^\/proc\/sys\/(fs\/(fanotify\/max_user_marks|inotify\/max_user_watches)|user\/max_(fanotify_marks|inotify_watches))$/,
    reason: 'follows the free memory at boot',
  },
  {
    pattern: /^\/sys\/kernel\/mm\/transparent_hugepage\/khugepaged\/(full_scans|pages_collapsed)$/,
    reason: 'counters',
  },
  {
    pattern:
      /^\/sys\/kernel\/mm\/ksm\/(full_scans|pages_(shared|sharing|unshared|volatile|scanned|skipped)|stable_node_(chains|dups)|zero_pages_.*)$/,
    reason: 'counters',
  },
  {
    pattern: /^(unit\/systemd-fsckd\.(service|socket)|thread\/systemd-fsckd)$/,
    reason: 'started when a file system is checked at boot, and ends by itself',
  },
  {
    pattern: /^irq\/.*\/effective_affinity_list$/,
    reason: 'the CPU that the kernel chose out of smp_affinity_list, by what was free when the driver asked',
  },
  { pattern: /^irq\/.*affinity_list$/, reason: 'irqbalance moves interrupts as they come', only: 'irqbalance runs' },
];
