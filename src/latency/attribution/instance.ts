import { HostError } from '../../errors.ts';
import type { Child, Host, HostReader } from '../../host/host.ts';
import { readNames, readValue } from '../../topology/kernel-file.ts';
import { removeShootdownEvent } from './shootdown-event.ts';

/**
 * A tracing instance of our own: its clock, CPUs, buffer and events are nobody else's. Its name says whose it is, so that one that
 * outlived a SIGKILL of everybody is known as such: PID namespace, pid and start time of hft, `-w` where osnoise's option for all
 * has to be put back. https://docs.kernel.org/trace/ftrace.html#instances
 */
const NAME = /^hft-(?<namespace>\d+)-(?<pid>\d+)-(?<startTicks>\d+)(?<workload>-w)?$/;

export async function nameInstance(host: HostReader, pid: number, changesWorkload: boolean): Promise<string> {
  const namespace = await readPidNamespace(host);
  const startTicks = await readStartTicks(host, pid);
  if (namespace === undefined || startTicks === undefined)
    throw new HostError('read', `/proc/${pid}/stat`, 'ENOENT', { next: ['Check that /proc is mounted.'] });
  return `hft-${namespace}-${pid}-${startTicks}${changesWorkload ? '-w' : ''}`;
}

async function readPidNamespace(host: HostReader): Promise<string | undefined> {
  return /^pid:\[(\d+)\]$/.exec((await host.readLink('/proc/self/ns/pid')) ?? '')?.[1];
}

/** Field 22 of proc_pid_stat(5); undefined for a process that is gone, or only waits to be buried. */
async function readStartTicks(host: HostReader, pid: number): Promise<string | undefined> {
  const stat = (await readValue(host, `/proc/${pid}/stat`)) ?? '';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** Takes away what runs of hft left that are gone. Returns the names. */
export async function removeStaleInstances(host: Host, tracefs: string): Promise<readonly string[]> {
  const removed: string[] = [];
  const here = await readPidNamespace(host);
  for (const name of await readNames(host, `${tracefs}/instances`)) {
    const owner = NAME.exec(name)?.groups;
    // Of another PID namespace: whether its owner lives cannot be seen from here.
    if (owner === undefined || owner.namespace !== here) continue;
    if ((await readStartTicks(host, Number(owner.pid))) === owner.startTicks) continue;
    await removeInstance(host, tracefs, name);
    removed.push(name);
  }
  return removed;
}

/** The name goes last: it says what else there is to undo. Nothing happens when it is not there. */
export async function removeInstance(host: Host, tracefs: string, name: string): Promise<void> {
  const folder = `${tracefs}/instances/${name}`;
  if (!(await readNames(host, `${tracefs}/instances`)).includes(name)) return;
  await host.writeText(`${folder}/tracing_on`, '0');
  await host.writeText(`${folder}/current_tracer`, 'nop');
  if (NAME.exec(name)?.groups?.workload !== undefined)
    await host.writeText(`${tracefs}/osnoise/options`, 'OSNOISE_WORKLOAD');
  await removeShootdownEvent(host, tracefs, name);
  await host.removeFolder(folder);
}

export interface Keeping {
  /** hft-probe. */
  readonly program: string;
  readonly tracefs: string;
  readonly name: string;
  readonly deadlineMs: number;
  /** Adds the event of `shootdown-event.ts` where the kernel takes it. */
  readonly addsShootdownEvent?: boolean;
}

/** The process that holds the instance and takes it away when this one dies (agents/probes/keep_trace.c). */
export interface Keeper {
  readonly folder: string;
  /** Takes the instance away. Throws HostError when that cannot be done. */
  end(): Promise<void>;
}

/** Makes the instance. Returns why it cannot be made here. */
export async function keepInstance(host: Host, keeping: Keeping): Promise<Keeper | { readonly reason: string }> {
  const { program, tracefs, name, deadlineMs, addsShootdownEvent = false } = keeping;
  const options: Readonly<Record<string, string | number>> = {
    tracefs,
    instance: name,
    parent: process.pid,
    'deadline-ns': `${BigInt(Math.ceil(deadlineMs)) * 1_000_000n}`,
    'without-workload': name.endsWith('-w') ? 1 : 0,
    'shootdown-event': addsShootdownEvent ? 1 : 0,
  };
  const argv = Object.entries(options).flatMap(([option, value]) => [`--${option}`, `${value}`]);
  const child = await host.startChild([program, 'keep-trace', ...argv]);
  if (child === undefined) return { reason: `${program} is not there: hft was built without a C compiler.` };
  if (!(await isReady(child))) {
    const { stderr } = await child.ended;
    return { reason: `No tracing instance could be made: ${stderr.trim()}` };
  }
  return {
    folder: `${tracefs}/instances/${name}`,
    async end() {
      child.signal('SIGTERM');
      await child.ended;
      // It was killed, or failed: then it is ours to do.
      await removeInstance(host, tracefs, name);
    },
  };
}

async function isReady(child: Child): Promise<boolean> {
  const first = await child.output[Symbol.asyncIterator]().next();
  return first.done !== true && first.value.toString() === 'ready\n';
}
