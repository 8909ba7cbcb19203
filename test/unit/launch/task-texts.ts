import type { PlacedThread, Scheduling } from '../../../src/launch/placement.ts';
import { parseThreadKey } from '../../../src/launch/thread-key.ts';

/** proc_pid_stat(5): fields 3 to 52, of a thread that has nothing to hide but its name. */
export function statText(name: string, fields: Record<number, number | string> = {}): string {
  const values = Array.from({ length: 50 }, (_, index) => String(fields[index + 3] ?? (index === 0 ? 'S' : 0)));
  return `4711 (${name}) ${values.join(' ')}\n`;
}

/** A rule of a deployment, as it was placed. */
export function rule(
  name: string,
  cpus: readonly (readonly number[])[],
  scheduling: Scheduling = { policy: 'other' },
): PlacedThread {
  return { key: parseThreadKey(name), name, cpus, isAlone: true, scheduling, why: '' };
}
