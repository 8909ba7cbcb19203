import type { Machine } from '../topology/machine.ts';
import type { TrafficRun } from './traffic-script.ts';

interface Place {
  /** Where the ports are; undefined: nowhere in particular. */
  readonly node: number | undefined;
  /** CPUs that somebody is pinned to. */
  readonly taken: readonly number[];
}

/**
 * Where testpmd runs: its worker, which polls, on an isolated CPU near the ports that nobody has, else on the last housekeeping CPU but the
 * one of its main thread. Whoever is pinned to an isolated CPU would lose half of its time.
 */
export function chooseTrafficCpus(machine: Machine, { node, taken }: Place): Pick<TrafficRun, 'mainLcore' | 'worker'> {
  const { isolated } = machine.kernel;
  const online = machine.topology.cpus.filter((cpu) => cpu.online);
  const near = online.filter((cpu) => node === undefined || cpu.node === node);
  const shared = (cpus: typeof online) => cpus.filter(({ cpu }) => !isolated.includes(cpu));
  const free = near.find(({ cpu }) => isolated.includes(cpu) && !taken.includes(cpu));
  const main = shared(online)[0] ?? online[0];
  const worker = free ?? shared(near).at(-1) ?? shared(online).at(-1) ?? online.at(-1);
  return { mainLcore: main?.cpu ?? 0, worker: worker?.cpu ?? 0 };
}
