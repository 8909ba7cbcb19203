import fs from 'node:fs';
import { unlessMissing } from './errno.ts';

/**
 * What tells one process from every other that ever had its pid: boot, PID namespace and start time.
 * Source: proc_pid_stat(5) field 22 (in clock ticks since boot), random(4) boot_id, pid_namespaces(7).
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
  readonly pidNamespace: string;
}

/** `elsewhere`: it belongs to another PID namespace of this boot, so from here nobody can tell. */
export type Liveness = 'alive' | 'dead' | 'elsewhere';

/** State and start time in the text of /proc/PID/stat. The command name in parentheses may itself hold `) 1 (`. */
export function parseProcessStat(text: string): { state: string; startTicks: string } | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
}

function readProcessStat(pid: number | 'self'): { state: string; startTicks: string } | undefined {
  const text = unlessMissing('read', `/proc/${pid}/stat`, () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return text === undefined ? undefined : parseProcessStat(text);
}

/** Another one after each boot, random(4). */
export function readBootId(): string {
  return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function readSurroundings(): { bootId: string; pidNamespace: string } {
  return { bootId: readBootId(), pidNamespace: fs.readlinkSync('/proc/self/ns/pid') };
}

export function identifyThisProcess(): ProcessIdentity {
  const stat = readProcessStat('self');
  if (stat === undefined) throw new Error('/proc/self/stat is not as proc_pid_stat(5) says; is /proc mounted?');
  return { pid: process.pid, startTicks: stat.startTicks, ...readSurroundings() };
}

export function judgeLiveness(other: ProcessIdentity): Liveness {
  const here = readSurroundings();
  if (other.bootId !== here.bootId) return 'dead';
  if (other.pidNamespace !== here.pidNamespace) return 'elsewhere';
  const stat = readProcessStat(other.pid);
  // Z and X: it has ended and only its parent has not asked yet.
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return 'dead';
  return stat.startTicks === other.startTicks ? 'alive' : 'dead';
}
