import type { Look, TaskLook } from './look.ts';

const MOST_NAMED = 3;

/** Who else ran on a CPU between the looks, threads of the kernel that belong there too: one phrase; undefined: nobody was seen to. */
export function sayWhoRan(cpu: number, looks: readonly Look[]): string | undefined {
  const found = new Map<number, TaskLook>();
  for (const [index, { others }] of looks.entries()) {
    const before = new Map(looks[index - 1]?.others.map((task) => [task.tid, task]));
    for (const task of others) {
      const earlier = before.get(task.tid);
      if (earlier !== undefined && task.cpu === cpu && hasRunSince(task, earlier)) found.set(task.tid, task);
    }
  }
  if (found.size === 0) return undefined;
  const names = [...found.values()].map(
    ({ name, pid, isKernel }) => `${name} (${isKernel ? 'kernel thread' : 'process'} ${pid})`,
  );
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.slice(0, MOST_NAMED).join(', ')}${more} ran there`;
}

/** By its CPU time, which counts in ticks, and by its switches, of which a thread that spins has none. */
export function hasRunSince(task: TaskLook, before: TaskLook): boolean {
  const switches = ({ status }: TaskLook) => (status?.voluntary ?? 0) + (status?.involuntary ?? 0);
  return task.ticks > before.ticks || switches(task) > switches(before);
}
