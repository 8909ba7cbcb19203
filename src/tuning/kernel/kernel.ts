import type { HostReader } from '../../host/host.ts';
import { resolveCpuSet } from '../../layout/cpu-set.ts';
import type { PlacedMachine } from '../../layout/layout.ts';
import { type CpuSet, printCpulist } from '../../topology/cpulist.ts';
import { type MovableThread, observeThreads } from '../../topology/kernel-threads.ts';
import { type Desired, defineDomain } from '../domain.ts';
import { catalogue } from '../knobs/catalogue.ts';
import { type Directories, foldersOf, isWhole, listDirectories, NOT_CAPTURED } from '../knobs/directories.ts';
import { joinDesired, type KnobWish, wishKnobs } from '../knobs/wish.ts';
import { desireBootArguments } from './boot-arguments.ts';
import { desireFairServer, FAIR_SERVER } from './fair-server.ts';
import { desireMachineCheck, MACHINE_CHECK } from './machine-check.ts';
import type { KernelWanted } from './schema.ts';
import { desireSysctls, sysctlFolders } from './sysctl-map.ts';
import { desireThreads } from './threads.ts';
import { desireWorkqueues, observeWorkqueues } from './workqueues.ts';

export interface KernelFacts {
  readonly directories: Directories;
  readonly threads: readonly MovableThread[];
  /** Workqueues that have a CPU mask of their own. */
  readonly workqueues: readonly string[];
}

const NOTHING: Desired = { settings: [], refused: [] };

/** What the kernel itself does on CPUs that should trade: watchdogs, timers, work, threads, throttling. */
export const kernelDomain = defineDomain<KernelWanted, KernelFacts>({
  name: 'kernel',
  schema: async () => (await import('./schema.ts')).kernelWanted,
  observe: observeKernel,
  desire(wanted, facts, machine) {
    const { sysctl, realtime, workqueues, threads, machineCheck, boot } = wanted;
    const { directories } = facts;
    const known = { kernel: machine.kernel, directories };
    const watched = wanted.watchdogs?.cpus;
    return joinDesired(
      wishKnobs(wishAll(wanted), known),
      watched === undefined
        ? NOTHING
        : onCpus({ id: 'kernel.sysctl@kernel.watchdog_cpumask', expression: watched, machine }, (cpus) =>
            wishKnobs(wish('kernel.watchdog_cpumask', printCpulist(cpus)), known),
          ),
      realtime?.fairServer === 'off' ? desireFairServer(directories, machine) : NOTHING,
      workqueues === undefined
        ? NOTHING
        : onCpus({ id: 'kernel.workqueue@cpumask', expression: workqueues.cpus, machine }, (cpus) =>
            desireWorkqueues(facts.workqueues, cpus, known),
          ),
      threads === undefined
        ? NOTHING
        : onCpus({ id: 'kernel.thread@all', expression: threads.cpus, machine }, (cpus) =>
            facts.threads.length === 0 && !isWhole(directories)
              ? { settings: [], refused: [{ id: 'kernel.thread@all', kind: 'unknown', reason: NOT_CAPTURED }] }
              : desireThreads(facts.threads, cpus, machine),
          ),
      machineCheck === undefined ? NOTHING : desireMachineCheck(machineCheck, directories),
      sysctl === undefined ? NOTHING : desireSysctls(sysctl, known),
      boot === undefined ? NOTHING : desireBootArguments(boot, machine.kernel),
    );
  },
});

interface CpuWish {
  readonly id: string;
  readonly expression: string;
  readonly machine: PlacedMachine;
}

/** Nothing can run on no CPU: the kernel takes no empty mask (EINVAL). */
function onCpus({ id, expression, machine }: CpuWish, decide: (cpus: CpuSet) => Desired): Desired {
  const cpus = resolveCpuSet(expression, machine);
  if (cpus.length > 0) return decide(cpus);
  const reason = `No CPU of ${machine.host} is ${expression}; this work has to run somewhere.`;
  return { settings: [], refused: [{ id, kind: 'refused', reason }] };
}

async function observeKernel(host: HostReader): Promise<KernelFacts> {
  const [directories, threads, workqueues] = await Promise.all([
    listDirectories(host, [...foldersOf(catalogue), ...sysctlFolders(), FAIR_SERVER, MACHINE_CHECK]),
    observeThreads(host),
    observeWorkqueues(host),
  ]);
  return { directories, threads, workqueues };
}

function wishAll(wanted: KernelWanted): readonly KnobWish[] {
  const { watchdogs, scheduler, realtime, rcu } = wanted;
  return [
    ...wish('kernel.nmi_watchdog', watchdogs?.nmi),
    ...wish('kernel.soft_watchdog', watchdogs?.soft),
    ...wish('kernel.watchdog_thresh', watchdogs?.threshold),
    ...wish('kernel.timer_migration', wanted.timer_migration),
    ...wish('kernel.sched_latency_ns', scheduler?.latency_ns),
    ...wish('kernel.sched_min_granularity_ns', scheduler?.min_granularity_ns),
    ...wish('kernel.sched_wakeup_granularity_ns', scheduler?.wakeup_granularity_ns),
    ...wish('kernel.sched_migration_cost_ns', scheduler?.migration_cost_ns),
    ...wish('kernel.sched_nr_migrate', scheduler?.nr_migrate),
    ...wish('kernel.sched_rt_runtime_us', realtime?.runtime === 'unlimited' ? -1 : realtime?.runtime),
    ...wish('rcu.expedited', rcu?.expedited),
    ...wish('rcu.normal', rcu?.normal),
  ];
}

function wish(knob: string, value: string | number | undefined): readonly KnobWish[] {
  return value === undefined ? [] : [{ domain: 'kernel', knob, value: String(value) }];
}
