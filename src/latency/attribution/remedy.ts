import { nameTarget } from '../../topology/irq-names.ts';
import type { Irq } from '../../topology/machine.ts';
import type { CauseKind } from './cause.ts';
import { THROTTLED } from './kernel-events.ts';

/** What removes a cause. Ids are of settings that the tuning domains make; a test looks each of them up. */
export interface Remedy {
  readonly fix?: string;
  readonly advice?: string;
}

interface Rule {
  readonly kind: CauseKind;
  /** Of the cause; without it the rule is for all of its kind. */
  readonly name?: RegExp;
  readonly remedy: Remedy;
}

/** The first that matches. */
const RULES: readonly Rule[] = [
  {
    kind: 'timer',
    remedy: { fix: 'isolation.nohz_full', advice: 'The tick stops while one thread alone is runnable on the CPU.' },
  },
  { kind: 'softirq', name: /RCU/, remedy: { fix: 'isolation.rcu_nocbs' } },
  { kind: 'softirq', name: /TIMER/, remedy: { fix: 'kernel.sysctl@kernel.timer_migration' } },
  { kind: 'softirq', name: /SCHED/, remedy: { fix: 'isolation.isolcpus' } },
  { kind: 'softirq', name: /NET_|BLOCK|TASKLET|HI|IRQ_POLL/, remedy: { fix: 'irq.default-affinity' } },
  { kind: 'thread', name: /vmstat_(update|shepherd)/, remedy: { fix: 'memory.sysctl@vm.stat_interval' } },
  { kind: 'thread', name: /mce_timer|mce_work/, remedy: { fix: 'kernel.machine_check@ignore_ce' } },
  { kind: 'thread', name: /^kworker\/u/, remedy: { fix: 'kernel.workqueue@cpumask' } },
  {
    kind: 'thread',
    name: /^kworker\//,
    remedy: {
      fix: 'isolation.nohz_full',
      advice: 'Work that a driver or the kernel bound to this CPU: its name says whose.',
    },
  },
  { kind: 'thread', name: /^(rcu|ksoftirqd.*RCU)/, remedy: { fix: 'isolation.rcu_nocbs' } },
  { kind: 'thread', name: /^(watchdog|cpuhp)/, remedy: { fix: 'kernel.sysctl@kernel.watchdog_cpumask' } },
  {
    kind: 'thread',
    name: /^migration\//,
    remedy: {
      fix: 'kernel.sysctl@kernel.watchdog_cpumask',
      advice: 'The soft-lockup watchdog runs there, and whoever stops a CPU or moves a thread.',
    },
  },
  { kind: 'thread', name: /^kcompactd/, remedy: { fix: 'memory.sysctl@vm.compaction_proactiveness' } },
  { kind: 'thread', name: /^khugepaged/, remedy: { fix: 'memory.thp@khugepaged_defrag' } },
  { kind: 'thread', name: /^irq\//, remedy: { fix: 'irq.default-affinity' } },
  { kind: 'thread', name: /^ksoftirqd/, remedy: { fix: 'irq.default-affinity' } },
  { kind: 'thread', name: /^(ktimers|ktimersoftd)/, remedy: { fix: 'kernel.sysctl@kernel.timer_migration' } },
  { kind: 'thread', name: /^irqbalance/, remedy: { fix: 'services.activity@irqbalance.service' } },
  {
    kind: 'thread',
    remedy: {
      fix: 'isolation.isolcpus',
      advice: 'A thread that pins itself to an isolated CPU is not kept off: change its affinity.',
    },
  },
  {
    kind: 'tlb-shootdown',
    remedy: {
      fix: 'memory.sysctl@kernel.numa_balancing',
      advice: 'Another thread of the process unmapped memory, or the kernel moved its pages.',
    },
  },
  { kind: 'ipi', name: /reschedule/, remedy: { fix: 'isolation.isolcpus' } },
  {
    kind: 'ipi',
    remedy: {
      fix: 'isolation.nohz_full',
      advice:
        'Another CPU asked this one to run a function; expedited RCU and membarrier do (kernel.boot@rcupdate.rcu_normal_after_boot).',
    },
  },
  { kind: 'nmi', remedy: { fix: 'kernel.sysctl@kernel.nmi_watchdog' } },
  { kind: 'machine-check', remedy: { fix: 'kernel.machine_check@ignore_ce' } },
  {
    kind: 'throttling',
    name: new RegExp(`^${THROTTLED}$`),
    remedy: {
      fix: 'kernel.sysctl@kernel.sched_rt_runtime_us',
      advice:
        'The measurement ran under SCHED_FIFO and never slept, so the kernel let other threads run (since Linux 6.12 its fair server: kernel.fair_server@isolated).',
    },
  },
  {
    kind: 'throttling',
    remedy: {
      fix: 'kernel.sysctl@kernel.sched_rt_runtime_us',
      advice:
        'The CPU was idle in the gap: the thread was not let run (realtime throttling, or cpu.max of its cgroup).',
    },
  },
  {
    kind: 'page-fault',
    remedy: {
      fix: 'memory.thp@enabled',
      advice: 'Memory that was not touched before: prefault it and lock it (limits).',
    },
  },
  {
    kind: 'thermal',
    remedy: { advice: 'The processor is too hot or at its power limit: cooling, and the limits in the firmware.' },
  },
  {
    kind: 'smi',
    remedy: {
      advice:
        'System management mode belongs to the firmware: its settings for power, USB emulation and error logging.',
    },
  },
  {
    kind: 'hypervisor-steal',
    remedy: { advice: 'The hypervisor ran something else: dedicated cores or a metal instance.' },
  },
  {
    kind: 'smt-sibling',
    remedy: { advice: 'profile key layout.smt: siblings-offline takes the second hardware thread away.' },
  },
  {
    kind: 'outside-kernel',
    remedy: {
      advice: 'The kernel saw nothing: firmware (SMI), hypervisor, the other hardware thread or a change of frequency.',
    },
  },
];

/** For the tests: every id that the table names. */
export function remedyIds(): readonly string[] {
  return [...new Set(RULES.flatMap(({ remedy }) => remedy.fix ?? []))];
}

export function remedyFor(kind: CauseKind, name: string): Remedy {
  return RULES.find((rule) => rule.kind === kind && (rule.name?.test(name) ?? true))?.remedy ?? {};
}

/** A device's interrupt has a setting of its own, unless the kernel alone decides where it goes. */
export function remedyForIrq(irq: Irq | undefined): Remedy {
  if (irq === undefined) return { fix: 'irq.default-affinity' };
  if (irq.managed)
    return {
      fix: 'isolation.isolcpus',
      advice: 'The kernel places this interrupt itself: isolcpus=managed_irq keeps it away.',
    };
  return { fix: `irq.affinity@${nameTarget(irq)}` };
}
