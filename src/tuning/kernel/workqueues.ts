import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { type CpuSet, printCpulist } from '../../topology/cpulist.ts';
import type { Desired } from '../domain.ts';
import { joinDesired, type KnobFacts, wishKnobs } from '../knobs/wish.ts';

const WORKQUEUES = '/sys/devices/virtual/workqueue';

/** Workqueues that show a CPU mask of their own (WQ_SYSFS): writeback, blkcg_punt_bio … */
export async function observeWorkqueues(host: HostReader): Promise<readonly string[]> {
  const names = (await listOrNothing(host, WORKQUEUES)).filter((name) => !name.startsWith('cpumask'));
  const files = await Promise.all(names.map((name) => listOrNothing(host, `${WORKQUEUES}/${name}`)));
  return names.filter((_, index) => files[index]?.includes('cpumask'));
}

/** A plain file among the folders cannot be listed. */
async function listOrNothing(host: HostReader, path: string): Promise<readonly string[]> {
  try {
    return (await host.list(path)) ?? [];
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}

/**
 * The mask of all unbound work and of each workqueue that has one. /sys/bus/workqueue/devices holds links to the same
 * files. https://docs.kernel.org/core-api/workqueue.html
 */
export function desireWorkqueues(workqueues: readonly string[], cpus: CpuSet, facts: KnobFacts): Desired {
  const value = printCpulist(cpus);
  const all = wishKnobs([{ domain: 'kernel', knob: 'workqueue.cpumask', value }], facts);
  return joinDesired(all, {
    refused: [],
    settings: workqueues.map((name) => ({
      id: `kernel.workqueue@${name}`,
      stage: 'values',
      tunable: { kind: 'file', path: `${WORKQUEUES}/${name}/cpumask`, format: 'cpumask' },
      value,
      why: `Work of ${name} runs on these CPUs, away from those that trade.`,
      ifRefused: 'skip',
      disruption: 'none',
    })),
  });
}
