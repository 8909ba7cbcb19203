import type { PlacedMachine } from '../../layout/layout.ts';
import { isSubset, printCpulist, union } from '../../topology/cpulist.ts';
import { type MovableThread, nameThreads } from '../../topology/kernel-threads.ts';
import type { Bystander, Desired, Refusal, Setting } from '../domain.ts';
import type { IsolationFacts } from './facts.ts';

/** Isolated partitions came with this kernel. https://docs.kernel.org/admin-guide/cgroup-v2.html#cpuset */
const FIRST_KERNEL: readonly [number, number] = [6, 1];
/** The slice of the partition: its cgroup is threaded, and the threads of trading processes that have isolated CPUs are in it. */
const SLICE = 'hft.slice';
const OTHERS = ['init.scope', 'system.slice', 'user.slice'];

/** Isolation without a reboot: a cgroup of its own that the scheduler balances nothing into. The tick stays. */
export function desirePartition(facts: IsolationFacts, machine: PlacedMachine): Desired {
  const refusal = whyImpossible(facts, machine);
  if (refusal) return { settings: [], refused: [{ id: `isolation.partition@${SLICE}`, ...refusal }] };
  const isolated = printCpulist(machine.layout.isolated);
  const rest = printCpulist(union(machine.layout.housekeeping, machine.layout.irq));
  const bound = boundThreads(facts.threads, rest, machine);
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
        why: 'The cgroup of the trading threads that have isolated CPUs.',
        ...COMMON,
      },
      allowedCpus(SLICE, isolated, 'Gives the isolated CPUs to trading processes.'),
      {
        id: `isolation.partition@${SLICE}`,
        tunable: { kind: 'cpuset-partition', unit: SLICE },
        value: 'isolated',
        why: 'Takes the isolated CPUs out of the scheduler’s load balancing.',
        ...COMMON,
        ...(bound.length > 0 && { bystanders: bound }),
      },
    ],
    refused: [],
  };
}

/**
 * Kernel threads that may not run everywhere, as kswapd and kcompactd of a NUMA node: making a partition, the kernel gives
 * every thread of the root cgroup all CPUs that are left (update_tasks_cpumask, kernel/cgroup/cpuset.c).
 */
function boundThreads(
  threads: readonly MovableThread[],
  rest: string,
  { topology }: PlacedMachine,
): readonly Bystander[] {
  const online = topology.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.cpu);
  const bound = threads.filter(({ allowed }) => !isSubset(online, allowed));
  return nameThreads(bound).map(({ name, pid, startTicks }) => ({
    id: `isolation.thread@${name}`,
    tunable: { kind: 'thread-affinity', pid, startTicks },
    within: rest,
  }));
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
