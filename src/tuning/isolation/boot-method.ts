import type { PlacedMachine } from '../../layout/layout.ts';
import { printCpulist, union } from '../../topology/cpulist.ts';
import { judgeBootArguments } from '../../tunables/boot/refusal.ts';
import type { BootArgTunable } from '../../tunables/tunable.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';
import { ISOLATED, type IsolationFacts, NOHZ_FULL } from './facts.ts';
import type { Isolation } from './schema.ts';

interface Argument {
  readonly name: string;
  readonly text: string;
  readonly why: string;
  readonly effect?: BootArgTunable['effect'];
  /** Build options that the kernel must have, and what shows their absence where the options cannot be read. */
  readonly needs: readonly string[];
  readonly isAbsent?: boolean;
}

/** Isolation by kernel arguments: in effect after a reboot, and the only way to stop the timer tick. */
export function desireBootIsolation(wanted: Isolation, facts: IsolationFacts, machine: PlacedMachine): Desired {
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  const refuse = judgeBootArguments(facts.boot);
  for (const argument of argumentsFor(wanted, facts, machine)) {
    const id = `isolation.${argument.name}`;
    const refusal = unsupported(argument, machine) ?? refuse([argument.name], argument.text);
    if (refusal) refused.push({ id, ...refusal });
    else settings.push(bootSetting(id, argument));
  }
  if (wanted.serviceAffinity && facts.hasSystemd) settings.push(serviceAffinity(machine));
  return { settings, refused };
}

function argumentsFor(wanted: Isolation, facts: IsolationFacts, { layout }: PlacedMachine): Argument[] {
  const isolated = printCpulist(layout.isolated);
  const flags = wanted.managedIrq ? 'managed_irq,domain' : 'domain';
  const found: Argument[] = [
    {
      name: 'isolcpus',
      text: `isolcpus=${flags},${isolated}`,
      why: 'Keeps the scheduler from placing other threads on the isolated CPUs.',
      effect: { path: ISOLATED, format: 'cpulist', value: isolated },
      needs: ['CPU_ISOLATION'],
    },
  ];
  if (wanted.nohzFull) {
    found.push({
      name: 'nohz_full',
      text: `nohz_full=${isolated}`,
      why: 'Stops the timer tick on an isolated CPU while it runs one thread.',
      effect: { path: NOHZ_FULL, format: 'cpulist', value: isolated },
      needs: ['NO_HZ_FULL'],
      isAbsent: !facts.hasNohzFull,
    });
  }
  if (wanted.rcuNocbs) {
    found.push({
      name: 'rcu_nocbs',
      text: `rcu_nocbs=${isolated}`,
      why: 'Runs the RCU callbacks of the isolated CPUs elsewhere.',
      needs: ['RCU_NOCB_CPU'],
    });
  }
  if (wanted.rcuNocbPoll) {
    found.push({
      name: 'rcu_nocb_poll',
      text: 'rcu_nocb_poll',
      why: 'Frees isolated CPUs from waking the threads that run their RCU callbacks.',
      needs: ['RCU_NOCB_CPU'],
    });
  }
  if (wanted.irqAffinity) {
    const serving = printCpulist(union(layout.housekeeping, layout.irq));
    found.push({
      name: 'irqaffinity',
      text: `irqaffinity=${serving}`,
      why: 'Starts interrupts on housekeeping and IRQ CPUs already while the machine boots.',
      needs: [],
    });
  }
  return found;
}

function unsupported(argument: Argument, { kernel }: PlacedMachine): Omit<Refusal, 'id'> | undefined {
  const missing = kernel.config && argument.needs.find((option) => kernel.config?.get(option) !== 'y');
  if (missing)
    return { kind: 'unsupported', reason: `The kernel ${kernel.release} is built without CONFIG_${missing}.` };
  if (argument.isAbsent) {
    return {
      kind: 'unsupported',
      reason: `The kernel ${kernel.release} has no ${argument.effect?.path}: built without CONFIG_${argument.needs[0]}.`,
    };
  }
  return undefined;
}

function bootSetting(id: string, { name, text, why, effect }: Argument): Setting {
  return {
    id,
    stage: 'values',
    tunable: { kind: 'boot-arg', names: [name], ...(effect && { effect }) },
    value: text,
    why,
    ifRefused: 'fail',
    disruption: 'reboot',
  };
}

/**
 * PID 1 inherits the housekeeping CPUs from isolcpus, but a cpuset controller that comes on later (Linux 6.1: any unit
 * with AllowedCPUs=) gives all running tasks every CPU again. With CPUAffinity= what is started after that is right still.
 * systemd-system.conf(5)
 */
function serviceAffinity({ layout }: PlacedMachine): Setting {
  return {
    id: 'isolation.service-affinity',
    stage: 'values',
    tunable: { kind: 'config-file', path: '/etc/systemd/system.conf.d/90-hft.conf', mode: 0o644 },
    value: `# Written by hft; removed by \`hft rollback\`. In effect after a reboot.\n[Manager]\nCPUAffinity=${printCpulist(layout.housekeeping)}\n`,
    why: 'Starts services and logins on housekeeping CPUs, whatever resets the affinity of PID 1.',
    ifRefused: 'fail',
    disruption: 'none',
  };
}
