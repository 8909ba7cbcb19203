import type { Knob } from './knob.ts';

const DOC = 'https://docs.kernel.org/admin-guide/sysctl/kernel.html';
const EEVDF = 'https://docs.kernel.org/scheduler/sched-eevdf.html';
const DEBUG = 'https://docs.kernel.org/scheduler/sched-debug.html';

/**
 * The scheduler's knobs. Linux 5.13 moved most of them from sysctl to /sys/kernel/debug/sched (commit 8a99b6833c88);
 * 6.6 replaced CFS by EEVDF, which dropped some and renamed one (commits e4ec3318a17f, 5e963f2bd465).
 */
export const schedulerKnobs: readonly Knob[] = [
  {
    name: 'kernel.sched_latency_ns',
    format: 'integer',
    places: [
      { path: '/proc/sys/kernel/sched_latency_ns', format: 'integer', until: [5, 13] },
      { path: '/sys/kernel/debug/sched/latency_ns', format: 'integer', since: [5, 13], until: [6, 6] },
    ],
    about: 'The period in which CFS runs every runnable task of a CPU once: short periods preempt sooner.',
    doc: DEBUG,
    needs: 'CONFIG_SCHED_DEBUG',
    gone: 'Linux 6.6 replaced CFS by EEVDF, which has no target latency; the slice is base_slice_ns (kernel.scheduler.min_granularity_ns).',
    key: 'kernel.scheduler.latency_ns',
  },
  {
    name: 'kernel.sched_min_granularity_ns',
    format: 'integer',
    places: [
      { path: '/proc/sys/kernel/sched_min_granularity_ns', format: 'integer', until: [5, 13] },
      { path: '/sys/kernel/debug/sched/min_granularity_ns', format: 'integer', since: [5, 13], until: [6, 6] },
      {
        path: '/sys/kernel/debug/sched/base_slice_ns',
        format: 'integer',
        since: [6, 6],
        note: 'EEVDF (Linux 6.6) calls it base_slice_ns; unit and meaning are the same.',
      },
    ],
    about: 'The least time a task runs before another may preempt it.',
    doc: EEVDF,
    needs: 'CONFIG_SCHED_DEBUG',
    key: 'kernel.scheduler.min_granularity_ns',
  },
  {
    name: 'kernel.sched_wakeup_granularity_ns',
    format: 'integer',
    places: [
      { path: '/proc/sys/kernel/sched_wakeup_granularity_ns', format: 'integer', until: [5, 13] },
      { path: '/sys/kernel/debug/sched/wakeup_granularity_ns', format: 'integer', since: [5, 13], until: [6, 6] },
    ],
    about: 'How far behind the running task a woken one must be to preempt it.',
    doc: DEBUG,
    needs: 'CONFIG_SCHED_DEBUG',
    gone: 'Linux 6.6 replaced CFS by EEVDF, which preempts by virtual deadline and has no wakeup granularity.',
    key: 'kernel.scheduler.wakeup_granularity_ns',
  },
  {
    name: 'kernel.sched_migration_cost_ns',
    format: 'integer',
    places: [
      { path: '/proc/sys/kernel/sched_migration_cost_ns', format: 'integer', until: [5, 13] },
      { path: '/sys/kernel/debug/sched/migration_cost_ns', format: 'integer', since: [5, 13] },
    ],
    about: 'How long after it ran a task counts as cache-hot and is left on its CPU by load balancing.',
    doc: DEBUG,
    needs: 'CONFIG_SCHED_DEBUG',
    key: 'kernel.scheduler.migration_cost_ns',
  },
  {
    name: 'kernel.sched_nr_migrate',
    format: 'integer',
    places: [
      { path: '/proc/sys/kernel/sched_nr_migrate', format: 'integer', until: [5, 13] },
      { path: '/sys/kernel/debug/sched/nr_migrate', format: 'integer', since: [5, 13] },
    ],
    about: 'How many tasks load balancing moves at once, with interrupts off.',
    doc: DEBUG,
    needs: 'CONFIG_SCHED_DEBUG',
    key: 'kernel.scheduler.nr_migrate',
  },
  {
    name: 'kernel.sched_tunable_scaling',
    format: 'word',
    places: [
      { path: '/proc/sys/kernel/sched_tunable_scaling', format: 'word', until: [5, 13] },
      { path: '/sys/kernel/debug/sched/tunable_scaling', format: 'word', since: [5, 13] },
    ],
    about: 'Whether the slices grow with the number of CPUs (0 no, 1 with its logarithm, 2 in proportion).',
    doc: DEBUG,
    needs: 'CONFIG_SCHED_DEBUG',
  },
  {
    name: 'kernel.sched_child_runs_first',
    format: 'integer',
    places: [{ path: '/proc/sys/kernel/sched_child_runs_first', format: 'integer', until: [6, 7] }],
    about: 'Whether a forked child runs before its parent.',
    doc: DEBUG,
    gone: 'Linux 6.7 removed it: EEVDF did not honour it.',
  },
  {
    name: 'kernel.sched_autogroup_enabled',
    format: 'integer',
    about: 'Groups the tasks of a session for fairness on desktops; a pinned trading thread gains nothing from it.',
    doc: 'https://man7.org/linux/man-pages/man7/sched.7.html',
    needs: 'CONFIG_SCHED_AUTOGROUP',
  },
  {
    name: 'kernel.sched_rt_runtime_us',
    format: 'integer',
    about:
      'How much of each period realtime tasks may run; the rest is kept for others, which is a gap for a polling FIFO thread.',
    doc: 'https://docs.kernel.org/scheduler/sched-rt-group.html',
    key: 'kernel.realtime.runtime',
  },
  {
    name: 'kernel.sched_rt_period_us',
    format: 'integer',
    about: 'The period that realtime throttling counts in.',
    doc: 'https://docs.kernel.org/scheduler/sched-rt-group.html',
  },
  {
    name: 'kernel.sched_rr_timeslice_ms',
    format: 'integer',
    about: 'The slice of SCHED_RR tasks.',
    doc: `${DOC}#sched-rr-timeslice-ms`,
  },
  {
    name: 'kernel.sched_schedstats',
    format: 'integer',
    about: 'Scheduler statistics cost time at every switch; off is the default.',
    doc: `${DOC}#sched-schedstats`,
    needs: 'CONFIG_SCHEDSTATS',
  },
  {
    name: 'kernel.sched_energy_aware',
    format: 'integer',
    about: 'Places tasks for energy on CPUs of unequal capacity.',
    doc: `${DOC}#sched-energy-aware`,
    needs: 'CONFIG_ENERGY_MODEL and CPUs of unequal capacity',
  },
  {
    name: 'kernel.numa_balancing',
    format: 'integer',
    about: 'Automatic NUMA balancing unmaps pages to see who uses them and moves them: page faults in the hot path.',
    doc: `${DOC}#numa-balancing`,
    needs: 'CONFIG_NUMA_BALANCING',
    key: 'memory.numa_balancing',
  },
];
