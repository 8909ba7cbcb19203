import { dirname } from 'node:path';
import { HostError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { readInteger } from '../topology/kernel-file.ts';
import { type BypassFacts, readBypassFacts } from './bypass-facts.ts';
import type { Deployment } from './deployment.ts';
import { type Partition, readPartition } from './isolated.ts';

/** What of a host a placement depends on beside its topology. undefined: it could not be asked. */
export interface LaunchFacts {
  /** /proc/sys/kernel/sched_rt_runtime_us: -1 is no throttling. */
  readonly rtRuntimeUs: number | undefined;
  /** The cpuset partition of a tune without a reboot; undefined: there is none. */
  readonly partition: Partition | undefined;
  /** By absolute path. */
  readonly programs: Readonly<Record<string, 'there' | 'missing' | 'not executable' | undefined>>;
  readonly folders: Readonly<Record<string, boolean | undefined>>;
  readonly users: Readonly<Record<string, boolean | undefined>>;
  readonly groups: Readonly<Record<string, boolean | undefined>>;
  /** By process that asks for a library to be loaded before it. */
  readonly bypass: Readonly<Record<string, BypassFacts>>;
}

/** Asks the host; changes nothing. A captured machine knows nothing of programs and users. */
export async function readLaunchFacts(reader: HostReader, { processes }: Deployment): Promise<LaunchFacts> {
  const all = Object.values(processes);
  const named = <T>(pick: (process: (typeof all)[number]) => T | undefined) => [
    ...new Set(all.flatMap((process) => pick(process) ?? [])),
  ];
  return {
    rtRuntimeUs: await readInteger(reader, '/proc/sys/kernel/sched_rt_runtime_us'),
    partition: await readPartition(reader),
    programs: await ask(
      named(({ command }) => command[0]),
      (path) => findProgram(reader, path),
    ),
    folders: await ask(
      named(({ directory }) => directory),
      (path) => answers(reader, ['test', '-d', path]),
    ),
    users: await ask(
      named(({ user }) => user),
      (name) => answers(reader, ['getent', 'passwd', name]),
    ),
    groups: await ask(
      named(({ group }) => group),
      (name) => answers(reader, ['getent', 'group', name]),
    ),
    bypass: await readBypasses(reader, processes),
  };
}

async function readBypasses(
  reader: HostReader,
  processes: Deployment['processes'],
): Promise<Record<string, BypassFacts>> {
  const found: Record<string, BypassFacts> = {};
  for (const [name, process] of Object.entries(processes)) {
    const facts = await readBypassFacts(reader, process);
    if (facts !== undefined) found[name] = facts;
  }
  return found;
}

async function ask<T>(names: readonly string[], question: (name: string) => Promise<T>): Promise<Record<string, T>> {
  const entries = await Promise.all(names.map(async (name) => [name, await question(name)] as const));
  return Object.fromEntries(entries);
}

async function findProgram(reader: HostReader, path: string): Promise<LaunchFacts['programs'][string]> {
  const executable = await answers(reader, ['test', '-f', path, '-a', '-x', path]);
  if (executable === undefined) return undefined;
  if (executable) return 'there';
  return (await listed(reader, path)) ? 'not executable' : 'missing';
}

async function listed(reader: HostReader, path: string): Promise<boolean> {
  try {
    return ((await reader.list(dirname(path))) ?? []).includes(path.slice(path.lastIndexOf('/') + 1));
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

/** test(1) and getent(1) say it with their exit code, which is their purpose; another one than 0 to 2 is no answer. */
async function answers(reader: HostReader, argv: readonly string[]): Promise<boolean | undefined> {
  const result = await reader.query(argv);
  if (!result.found || result.exitCode > 2) return undefined;
  return result.exitCode === 0;
}
