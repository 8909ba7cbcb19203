import type { PlacedMachine } from '../../layout/layout.ts';
import { type CpuSet, intersection, isSubset, printCpulist } from '../../topology/cpulist.ts';
import { type MovableThread, nameThreads } from '../../topology/kernel-threads.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';

/**
 * Takes the wanted CPUs away from nobody: a thread keeps what it may use of them, and one that is bound to other CPUs
 * altogether was put there by its driver and is reported. Ids are by name, `#2` for the second of the same name.
 */
export function desireThreads(threads: readonly MovableThread[], cpus: CpuSet, machine: PlacedMachine): Desired {
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  for (const thread of nameThreads(threads)) {
    const id = `kernel.thread@${thread.name}`;
    const wanted = cpusFor(thread, cpus, machine);
    if (wanted === undefined) {
      const reason = `${thread.name} is bound to CPU ${printCpulist(thread.allowed)} by its driver; moving it could break that.`;
      refused.push({ id, kind: 'refused', reason });
      continue;
    }
    settings.push({
      id,
      stage: 'values',
      tunable: { kind: 'thread-affinity', pid: thread.pid, startTicks: thread.startTicks },
      value: printCpulist(wanted),
      why: 'This kernel thread can run anywhere and so may run on a CPU that trades.',
      ifRefused: 'skip',
      disruption: 'none',
    });
  }
  return { settings, refused };
}

function cpusFor(thread: MovableThread, cpus: CpuSet, machine: PlacedMachine): CpuSet | undefined {
  if (isSubset(thread.allowed, cpus)) return thread.allowed;
  const node = /^(?:kswapd|kcompactd)(\d+)$/.exec(thread.name)?.[1];
  const home = machine.topology.nodes.find(({ node: number }) => number === Number(node ?? -1))?.cpus;
  const local = home === undefined ? [] : intersection(home, cpus);
  if (local.length > 0) return local;
  if (home !== undefined) return cpus;
  const kept = intersection(thread.allowed, cpus);
  return kept.length > 0 ? kept : undefined;
}
