import type { Knob } from './knob.ts';

const DOC = 'https://docs.kernel.org/admin-guide/sysctl/kernel.html';
const LOCKUP = 'https://docs.kernel.org/admin-guide/lockup-watchdogs.html';

/**
 * In many kernels (6.1 for one) reading kernel.watchdog while both watchdogs are off switches it off as well (proc_watchdog_common
 * stores what it shows), and then neither of them can be turned on again by its own file alone. `sysctl -a` is enough.
 */
const UNLOCK = { path: '/proc/sys/kernel/watchdog', text: '1' };

/** Watchdogs, timers, panics, RCU, machine checks, workqueues: the knobs of the kernel itself. */
export const kernelKnobs: readonly Knob[] = [
  {
    name: 'kernel.nmi_watchdog',
    format: 'integer',
    places: [{ path: '/proc/sys/kernel/nmi_watchdog', format: 'integer', primer: UNLOCK }],
    about: 'The hard-lockup watchdog takes a performance counter and an NMI on every CPU.',
    doc: LOCKUP,
    needs: 'CONFIG_HARDLOCKUP_DETECTOR',
    key: 'kernel.watchdogs.nmi',
  },
  {
    name: 'kernel.soft_watchdog',
    format: 'integer',
    places: [{ path: '/proc/sys/kernel/soft_watchdog', format: 'integer', primer: UNLOCK }],
    about: 'The soft-lockup watchdog wakes a thread on every CPU it watches every few seconds.',
    doc: LOCKUP,
    needs: 'CONFIG_SOFTLOCKUP_DETECTOR',
    key: 'kernel.watchdogs.soft',
  },
  {
    name: 'kernel.watchdog',
    format: 'integer',
    about: 'Both lockup watchdogs at once; hft sets each by its own name, since this file is only an alias of the two.',
    doc: LOCKUP,
    key: 'kernel.watchdogs',
  },
  {
    name: 'kernel.watchdog_cpumask',
    format: 'cpulist',
    about: 'The CPUs that the lockup watchdogs watch, and so wake.',
    doc: LOCKUP,
    needs: 'CONFIG_SOFTLOCKUP_DETECTOR and SMP',
    key: 'kernel.watchdogs.cpus',
  },
  {
    name: 'kernel.watchdog_thresh',
    format: 'integer',
    about: 'Seconds until a lockup is reported; the watchdog timer fires five times in twice that time.',
    doc: LOCKUP,
    needs: 'CONFIG_LOCKUP_DETECTOR',
    key: 'kernel.watchdogs.threshold',
  },
  {
    name: 'kernel.timer_migration',
    format: 'integer',
    about: 'Moves timers that an idle CPU armed to a busy one, which may be the one that trades.',
    doc: 'https://docs.kernel.org/timers/no_hz.html',
    needs: 'CONFIG_SMP and CONFIG_NO_HZ_COMMON',
    key: 'kernel.timer_migration',
  },
  {
    name: 'kernel.panic_on_oops',
    format: 'integer',
    about: 'A kernel that had an oops is in an unknown state: stop trading on it at once.',
    doc: `${DOC}#panic-on-oops`,
  },
  {
    name: 'kernel.panic',
    format: 'integer',
    about: 'Seconds from a panic to the reboot; 0 waits for ever.',
    doc: `${DOC}#panic`,
  },
  {
    name: 'kernel.panic_on_rcu_stall',
    format: 'integer',
    about: 'An RCU stall stops the machine. A polling FIFO thread can cause one.',
    doc: `${DOC}#panic-on-rcu-stall`,
  },
  {
    name: 'kernel.core_uses_pid',
    format: 'integer',
    about: 'Core files carry the process id, so one crash does not overwrite the evidence of another.',
    doc: `${DOC}#core-uses-pid`,
  },
  {
    name: 'kernel.softlockup_panic',
    format: 'integer',
    about: 'A soft lockup stops the machine. A polling FIFO thread looks like one.',
    doc: `${DOC}#softlockup-panic`,
    needs: 'CONFIG_SOFTLOCKUP_DETECTOR',
  },
  {
    name: 'kernel.hardlockup_panic',
    format: 'integer',
    about: 'A hard lockup stops the machine.',
    doc: `${DOC}#hardlockup-panic`,
    needs: 'CONFIG_HARDLOCKUP_DETECTOR',
  },
  {
    name: 'kernel.hung_task_timeout_secs',
    format: 'integer',
    about: 'The hung-task thread looks at every task once in this time; 0 stops it.',
    doc: `${DOC}#hung-task-timeout-secs`,
    needs: 'CONFIG_DETECT_HUNG_TASK',
  },
  {
    name: 'kernel.hung_task_panic',
    format: 'integer',
    about: 'A task that hangs in the kernel stops the machine.',
    doc: `${DOC}#hung-task-panic`,
    needs: 'CONFIG_DETECT_HUNG_TASK',
  },
  {
    name: 'kernel.printk',
    format: 'words',
    about: 'Messages up to this level go to the console; a serial console is written with interrupts off.',
    doc: `${DOC}#printk`,
  },
  {
    name: 'kernel.perf_cpu_time_max_percent',
    format: 'integer',
    about: 'The share of a CPU that perf sampling may take.',
    doc: `${DOC}#perf-cpu-time-max-percent`,
    needs: 'CONFIG_PERF_EVENTS',
  },
  {
    name: 'kernel.perf_event_paranoid',
    format: 'integer',
    about: 'Who may use performance counters.',
    doc: `${DOC}#perf-event-paranoid`,
    needs: 'CONFIG_PERF_EVENTS',
  },
  {
    name: 'kernel.split_lock_mitigate',
    format: 'integer',
    about: 'Slows a process that locks across a cache line; 0 leaves it at a warning.',
    doc: `${DOC}#split-lock-mitigate-x86-only`,
    places: [{ path: '/proc/sys/kernel/split_lock_mitigate', format: 'integer', since: [6, 2] }],
  },
  {
    name: 'kernel.ftrace_enabled',
    format: 'integer',
    about: 'Whether function tracing and live patching may change kernel code, which interrupts every CPU.',
    doc: `${DOC}#ftrace-enabled`,
    needs: 'CONFIG_FUNCTION_TRACER',
  },
  {
    name: 'kernel.pid_max',
    format: 'integer',
    about: 'The largest process id.',
    doc: `${DOC}#pid-max`,
  },
  {
    name: 'rcu.expedited',
    format: 'integer',
    places: [{ path: '/sys/kernel/rcu_expedited', format: 'integer' }],
    about: 'Expedited grace periods interrupt every CPU that is not idle.',
    doc: 'https://docs.kernel.org/RCU/checklist.html',
    key: 'kernel.rcu.expedited',
  },
  {
    name: 'rcu.normal',
    format: 'integer',
    places: [{ path: '/sys/kernel/rcu_normal', format: 'integer' }],
    about: 'Grace periods that ask to be expedited run as normal ones, without interrupting every CPU.',
    doc: 'https://docs.kernel.org/RCU/checklist.html',
    key: 'kernel.rcu.normal',
  },
  {
    name: 'workqueue.cpumask',
    format: 'cpumask',
    places: [{ path: '/sys/devices/virtual/workqueue/cpumask', format: 'cpumask' }],
    about: 'Unbound kernel work runs on these CPUs.',
    doc: 'https://docs.kernel.org/core-api/workqueue.html#affinity-scopes',
    key: 'kernel.workqueues.cpus',
  },
];
