import type { PlacedProcess, Placement } from '../launch/placement.ts';
import type { PlacedMachine } from '../layout/layout.ts';
import { nameCpus } from '../layout/names.ts';
import { sayScheduling } from './place.ts';
import { drawTopology } from './topology-svg.ts';

/** The picture of the machine with the thread that has each CPU alone, and a card for each process below. */
export function drawPlacement({ processes }: Placement, machine: PlacedMachine): string {
  const occupants = new Map(
    processes.flatMap(({ name, threads }) =>
      threads.flatMap((thread) =>
        thread.isAlone
          ? thread.cpus.flatMap((cpus) => cpus.map((cpu) => [cpu, `${name}/${thread.name}`] as const))
          : [],
      ),
    ),
  );
  return drawTopology(machine, machine.layout, { occupants, lists: processes.map(listThreads) });
}

function listThreads({ name, threads }: PlacedProcess) {
  const rows = threads.flatMap((thread) =>
    thread.cpus.map((cpus) => {
      const others = threads.length === 1 ? 'all threads' : 'all others';
      const key = `${thread.name === '*' ? others : thread.name} → ${nameCpus(cpus)}`;
      return [key, `${sayScheduling(thread.scheduling)} · ${thread.why}`] as const;
    }),
  );
  return { title: name, rows };
}
