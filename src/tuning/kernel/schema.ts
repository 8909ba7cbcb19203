import { z } from 'zod';
import { count, cpuSet, durationNs, durationS, durationUs } from '../../profile/values.ts';
import { keyOf, toggle } from '../knobs/values.ts';
import { bootArguments } from './boot-arguments-schema.ts';
import { sysctlMap } from './sysctl-map-schema.ts';

const cpus = (why: string) =>
  z.strictObject({ cpus: cpuSet().describe('These CPUs, usually housekeeping') }).describe(why);

const watchdogs = z
  .strictObject({
    nmi: keyOf('kernel.nmi_watchdog', toggle()),
    soft: keyOf('kernel.soft_watchdog', toggle()),
    cpus: keyOf('kernel.watchdog_cpumask', cpuSet()),
    threshold: keyOf(
      'kernel.watchdog_thresh',
      durationS().refine((seconds) => seconds <= 60, 'expected at most 60s'),
    ),
  })
  .describe('Lockup watchdogs. https://docs.kernel.org/admin-guide/lockup-watchdogs.html');

const scheduler = z
  .strictObject({
    latency_ns: keyOf('kernel.sched_latency_ns', durationNs()),
    min_granularity_ns: keyOf('kernel.sched_min_granularity_ns', durationNs()),
    wakeup_granularity_ns: keyOf('kernel.sched_wakeup_granularity_ns', durationNs()),
    migration_cost_ns: keyOf('kernel.sched_migration_cost_ns', durationNs()),
    nr_migrate: keyOf('kernel.sched_nr_migrate', count({ min: 1 })),
  })
  .describe(
    'The fair scheduler, wherever this kernel keeps it: sysctl before 5.13, debugfs since, renamed or gone in 6.6',
  );

const realtime = z
  .strictObject({
    runtime: z
      .union([z.literal('unlimited'), durationUs()], 'expected unlimited, or a time such as 950ms')
      .optional()
      .describe(
        'kernel.sched_rt_runtime_us: what realtime tasks may run of each period; unlimited turns throttling off',
      ),
    fairServer: z
      .enum(['keep', 'off'])
      .optional()
      .describe('off: isolated CPUs keep no time for ordinary tasks (Linux 6.12 and later do that besides throttling)'),
  })
  .describe('Realtime throttling. https://docs.kernel.org/scheduler/sched-rt-group.html');

const machineCheck = z
  .strictObject({
    ignore_ce: toggle().optional().describe('1: corrected errors are neither polled for nor signalled by an interrupt'),
    check_interval: durationS().optional().describe('How often corrected errors are polled for; 0 never'),
  })
  .describe('Machine checks. https://docs.kernel.org/arch/x86/x86_64/machinecheck.html');

/** The value of a profile's `kernel:` key. Keys that are kernel knobs have the kernel's names. */
export const kernelWanted = z
  .strictObject({
    sysctl: sysctlMap.optional(),
    watchdogs: watchdogs.optional(),
    timer_migration: keyOf('kernel.timer_migration', toggle()),
    scheduler: scheduler.optional(),
    realtime: realtime.optional(),
    workqueues: cpus('Where unbound kernel work runs, /sys/devices/virtual/workqueue').optional(),
    threads: cpus('Where kernel threads run that can be moved').optional(),
    machineCheck: machineCheck.optional(),
    rcu: z
      .strictObject({ expedited: keyOf('rcu.expedited', toggle()), normal: keyOf('rcu.normal', toggle()) })
      .optional()
      .describe('RCU grace periods'),
    boot: bootArguments.optional(),
  })
  .describe('Sysctls, watchdogs, timers, realtime throttling, kernel threads and boot arguments of the kernel');

export type KernelWanted = z.output<typeof kernelWanted>;
