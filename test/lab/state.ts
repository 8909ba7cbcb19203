import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Guest } from './guest.ts';
import { ignoredState } from './state/ignored.ts';
import { parseState, type State } from './state/parse.ts';

/** One place that differs; undefined where it does not exist. */
export interface Difference {
  readonly key: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * Reads all of /proc/sys, the control files of CPUs, memory, workqueues, NICs and disks, IRQ affinities by the name of
 * their action, ethtool's view of every NIC, hashes and modes of the files in /etc and /boot, unit states, mounts,
 * modules, and where kernel threads may run. Takes some seconds.
 */
export async function captureState(guest: Guest): Promise<State> {
  const script = await readFile(path.join(import.meta.dirname, 'state', 'capture.sh'), 'utf8');
  return parseState(await guest.read('sh -s', { input: script, timeoutS: 300 }));
}

/** The places that differ, without those that change by themselves (state/ignored.ts says which and why). */
export function diffStates(before: State, after: State): Difference[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const irqbalance = [before, after].some((state) => state['unit/irqbalance.service']?.includes('ActiveState=active'));
  return keys
    .map((key) => ({ key, before: before[key], after: after[key] }))
    .filter((entry) => entry.before !== entry.after)
    .filter(
      ({ key }) => !ignoredState.some(({ pattern, only }) => pattern.test(key) && (only === undefined || irqbalance)),
    );
}

/** One line per difference, of several lines only those that differ. */
export function printDifference({ key, before, after }: Difference): string {
  if (before === undefined) return `${key}: new: ${after}`;
  if (after === undefined) return `${key}: gone: ${before}`;
  const [old, now] = [before.split('\n'), after.split('\n')];
  const gone = old.filter((line) => !now.includes(line)).map((line) => line.trim());
  const added = now.filter((line) => !old.includes(line)).map((line) => line.trim());
  return `${key}: ${gone.join(' | ')} -> ${added.join(' | ')}`;
}
