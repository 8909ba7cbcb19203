import type { PlacedMachine } from '../../layout/layout.ts';
import { printCpulist, union } from '../../topology/cpulist.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';
import type { IsolationFacts } from './facts.ts';

/** Isolated partitions came with this kernel. https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset */
const FIRST_KERNEL: readonly [number, number] = [6, 1];
/** The slice that trading processes are started in. */
const SLICE = 'hft.slice';
const OTHERS = ['init.scope', 'system.slice', 'user.slice'];

/** Isolation without a reboot: a cgroup of its own that the scheduler balances nothing into. The tick stays. */
export function desirePartition(facts: IsolationFacts, machine: PlacedMachine): Desired {
  const refusal = whyImpossible(facts, machine);
  if (refusal) return { settings: [], refused: [{ id: `isolation.partition@${SLICE}`, ...refusal }] };
  const isolated = printCpulist(machine.layout.isolated);
  const rest = printCpulist(union(machine.layout.housekeeping, machine.layout.irq));
  return {
    settings: [
      ...OTHERS.map((unit) =>
        allowedCpus(
          unit,
          rest,
          'Keeps services and logins off the isolated CPUs, also when the partition is taken away.',
        ),
      ),
      {
        id: `isolation.slice@${SLICE}`,
        tunable: { kind: 'unit', name: SLICE, aspect: 'activity' },
        value: 'active',
        why: 'The cgroup that trading processes run in.',
        ...COMMON,
      },
      allowedCpus(SLICE, isolated, 'Gives the isolated CPUs to trading processes.'),
      {
        id: `isolation.partition@${SLICE}`,
        tunable: { kind: 'cpuset-partition', unit: SLICE },
        value: 'isolated',
        why: 'Takes the isolated CPUs out of the scheduler’s load balancing.',
        ...COMMON,
      },
    ],
    refused: [],
  };
}

const COMMON = { stage: 'values', ifRefused: 'fail', disruption: 'process' } as const;

function allowedCpus(unit: string, cpus: string, why: string): Setting {
  return { id: `isolation.cpus@${unit}`, tunable: { kind: 'slice-cpus', unit }, value: cpus, why, ...COMMON };
}

function whyImpossible(facts: IsolationFacts, { kernel }: PlacedMachine): Omit<Refusal, 'id'> | undefined {
  const [major, minor] = kernel.version;
  if (major < FIRST_KERNEL[0] || (major === FIRST_KERNEL[0] && minor < FIRST_KERNEL[1])) {
    return {
      kind: 'unsupported',
      reason: `Linux ${kernel.release} has no isolated cpuset partitions (they came with 6.1). Use method: boot.`,
    };
  }
  if (!facts.hasCpusetV2) {
    return {
      kind: 'unsupported',
      reason: 'The cpuset controller is not in the cgroup v2 tree at /sys/fs/cgroup (cgroup v1 host, or a container).',
    };
  }
  if (!facts.hasSystemd) return { kind: 'unsupported', reason: 'The cgroups of this host are not kept by systemd.' };
  if (kernel.isolated.length > 0 || kernel.nohzFull.length > 0) {
    const booted = printCpulist(union(kernel.isolated, kernel.nohzFull));
    return {
      kind: 'refused',
      reason: `The kernel was booted with CPUs ${booted} isolated already; a partition on top conflicts with it and resets the affinity of every process. Use method: boot.`,
    };
  }
  return undefined;
}
