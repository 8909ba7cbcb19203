import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildReference } from '../../../scripts/probe-program.ts';
import { CPUS, compileStrictly, makeFolder, STRICTLY } from '../latency/program.ts';

/** Two CPUs that this process may use; the same one twice where there is one. */
export const [FIRST, LAST] = [CPUS[0] as number, CPUS.at(-1) as number];

export interface Programs {
  readonly folder: string;
  readonly probe: string;
  readonly reference: string;
  remove(): void;
}

/** Both, with every warning an error. */
export function compilePrograms(): Programs {
  const { path, remove } = makeFolder();
  const reference = join(path, 'hft-reference');
  buildReference(reference, STRICTLY);
  return { folder: path, probe: compileStrictly(path), reference, remove };
}

export interface Reference {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What a request was answered with: the exit code of `hft-reference ask`, and what it said. */
  ask(request: string): { readonly exitCode: number | null; readonly said: string };
  /** The tid of the thread of a name. */
  tid(name: string): number;
  end(): Promise<void>;
}

/** A running reference process that answers. */
export async function startReference(programs: Programs, argv: readonly string[]): Promise<Reference> {
  const socket = join(programs.folder, `${process.pid}-${Math.trunc(performance.now() * 1000)}`);
  const child = spawn(programs.reference, ['--socket', socket, ...argv], { stdio: 'ignore' });
  const pid = child.pid as number;
  await until(() => existsSync(socket) || child.exitCode !== null);
  const ask = (request: string) => {
    const { status, stderr } = spawnSync(programs.reference, ['ask', socket, ...request.split(' ')], {
      encoding: 'utf8',
    });
    return { exitCode: status, said: stderr };
  };
  await until(() => ask('health').exitCode === 0 || child.exitCode !== null);
  return {
    pid,
    child,
    ask,
    tid: (name) => Number(Object.entries(readNames(pid)).find(([, each]) => each === name)?.[0]),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The names of the threads, by tid. */
export function readNames(pid: number): Record<string, string> {
  const tids = readdirSync(`/proc/${pid}/task`);
  return Object.fromEntries(tids.map((tid) => [tid, readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim()]));
}

/** For what another process does in its own time. The time limit of the test is the only one. */
export async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 20));
}
