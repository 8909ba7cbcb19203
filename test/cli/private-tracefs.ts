import { spawnSync } from 'node:child_process';
import { CPUS } from '../unit/latency/program.ts';
import { cleanEnvironment } from './run-hft.ts';

/** A tracefs of one's own in a mount namespace of one's own: nothing of this machine's mounts changes. */
export const AT = '/sys/kernel/tracing';

/** The command line that runs a shell's line there. */
export function inTracefs(line: string): readonly [string, ...string[]] {
  const mount = `mount -t tracefs tracefs ${AT}`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', `${mount} && ${line}`];
}

export function inNamespace(line: string): { readonly stdout: string; readonly status: number | null } {
  const [program, ...rest] = inTracefs(line);
  return spawnSync(program, rest, { encoding: 'utf8', env: cleanEnvironment() });
}

/** Why causes cannot be recorded here; undefined: they can. */
export function whyNoTracing(): string | undefined {
  if (process.getuid?.() !== 0) return 'tracing needs root';
  const { status, stdout } = inNamespace(`cat ${AT}/trace_clock && ls ${AT}/events`);
  if (status !== 0) return 'no tracefs can be mounted here';
  if (!stdout.includes('x86-tsc')) return 'the kernel does not trace by the clock x86-tsc';
  if (!/^irq_vectors$/m.test(stdout)) return 'the kernel has no events of interrupts';
  return CPUS.length < 2 ? 'one CPU has to be left to the rest of the system' : undefined;
}
