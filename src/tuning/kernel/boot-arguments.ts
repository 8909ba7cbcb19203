import type { Kernel } from '../../topology/machine.ts';
import type { BootArgTunable } from '../../tunables/tunable.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';
import type { Version } from '../knobs/knob.ts';
import { isBefore, isReleaseKnown } from '../knobs/locate.ts';

/** A kernel argument that hft can set and say something about. */
interface BootArgument {
  readonly name: string;
  readonly why: string;
  /** The first release that knows it; older ones would take it for an unknown module parameter and say nothing. */
  readonly since?: Version;
  /** Where the running kernel shows the value that it was given. */
  readonly effect?: string;
}

/** https://docs.kernel.org/admin-guide/kernel-parameters.html has the meaning of each. */
export const knownArguments: readonly BootArgument[] = [
  { name: 'skew_tick', why: 'Staggers the timer ticks of the CPUs, which otherwise meet at the same locks.' },
  { name: 'tsc', why: 'Trusts the TSC: without the clocksource watchdog, whose timer visits every CPU in turn.' },
  {
    name: 'clocksource',
    why: 'Reads the time from this source.',
    effect: '/sys/devices/system/clocksource/clocksource0/current_clocksource',
  },
  { name: 'nosoftlockup', why: 'No soft-lockup watchdog from the first second, not only once hft has run.' },
  { name: 'nowatchdog', why: 'No lockup watchdogs from the first second, not only once hft has run.' },
  { name: 'nmi_watchdog', why: 'The hard-lockup watchdog, from the first second.' },
  { name: 'mce', why: 'How machine checks are handled; ignore_ce stops the polling for corrected errors.' },
  { name: 'rcu_nocb_poll', why: 'The RCU offload threads poll, so that isolated CPUs need not wake them.' },
  {
    name: 'rcupdate.rcu_normal_after_boot',
    why: 'No expedited grace periods after boot: they interrupt every CPU.',
    effect: '/sys/module/rcupdate/parameters/rcu_normal_after_boot',
  },
  {
    name: 'rcutree.nohz_full_patience_delay',
    why: 'RCU waits this long (milliseconds) before it disturbs a nohz_full CPU that is in the kernel.',
    since: [6, 11],
    effect: '/sys/module/rcutree/parameters/nohz_full_patience_delay',
  },
  { name: 'audit', why: 'The audit system costs time at every system call.' },
  { name: 'idle', why: 'What idle CPUs do; poll never sleeps, on all CPUs, and heats the package.' },
  {
    name: 'intel_idle.max_cstate',
    why: 'The deepest C-state of the intel_idle driver, from boot on.',
    effect: '/sys/module/intel_idle/parameters/max_cstate',
  },
  {
    name: 'processor.max_cstate',
    why: 'The deepest C-state of the ACPI driver, from boot on.',
    effect: '/sys/module/processor/parameters/max_cstate',
  },
  { name: 'intel_pstate', why: 'How the intel_pstate driver works, or that it does not.' },
  { name: 'amd_pstate', why: 'How the amd_pstate driver works, or that it does not.' },
  { name: 'pcie_aspm', why: 'PCIe links do not sleep: waking one costs microseconds.' },
  { name: 'transparent_hugepage', why: 'Transparent hugepages, from the first process on.' },
  { name: 'nosmt', why: 'One hardware thread per core, on the whole machine.' },
  { name: 'threadirqs', why: 'Interrupt handlers run in threads, whose priority can be chosen.' },
  { name: 'preempt', why: 'The preemption model of kernels that can choose it at boot.' },
  { name: 'hpet', why: 'The HPET timer.' },
  { name: 'split_lock_detect', why: 'What happens to a process that locks across a cache line.' },
  { name: 'numa_balancing', why: 'Automatic NUMA balancing, from boot on.' },
  {
    name: 'workqueue.power_efficient',
    why: 'Lets per-CPU kernel work run elsewhere.',
    effect: '/sys/module/workqueue/parameters/power_efficient',
  },
  {
    name: 'mitigations',
    why: 'The profile itself asks to change the protection against CPU side channels; no profile that comes with hft does.',
  },
];

/** One setting per argument, staged for the next boot. */
export function desireBootArguments(map: Readonly<Record<string, string>>, kernel: Kernel): Desired {
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  for (const [name, given] of Object.entries(map)) {
    const argument = knownArguments.find((known) => known.name === name) as BootArgument;
    const id = `kernel.boot@${name}`;
    const refusal = refuse(argument, given, kernel);
    if (refusal === undefined) settings.push(setting(id, argument, given));
    else refused.push({ id, ...refusal });
  }
  return { settings, refused };
}

function refuse({ name, since }: BootArgument, given: string, kernel: Kernel): Omit<Refusal, 'id'> | undefined {
  if (given === 'off') return undefined;
  if (since !== undefined && isReleaseKnown(kernel) && isBefore(kernel.version, since)) {
    return {
      kind: 'unsupported',
      reason: `Linux ${since.join('.')} is the first that knows ${name}; this is ${kernel.release}.`,
    };
  }
  if (name === 'tsc' && given === 'reliable' && kernel.clocksource !== undefined && kernel.clocksource !== 'tsc') {
    const reason = `The kernel keeps time by ${kernel.clocksource}, not by the TSC; tsc=reliable would hide why.`;
    return { kind: 'refused', reason };
  }
  return undefined;
}

function setting(id: string, { name, why, effect }: BootArgument, given: string): Setting {
  const tunable: BootArgTunable = { kind: 'boot-arg', names: [name] };
  const isShown = effect !== undefined && given !== 'on' && given !== 'off';
  return {
    id,
    stage: 'values',
    tunable: isShown ? { ...tunable, effect: { path: effect, format: 'word', value: given } } : tunable,
    value: given === 'off' ? null : given === 'on' ? name : `${name}=${given}`,
    why,
    ifRefused: 'fail',
    disruption: 'reboot',
  };
}
