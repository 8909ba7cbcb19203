import { constants } from 'node:os';
import { HostError } from '../errors.ts';
import { toHostError } from './errno.ts';
import type { QueryResult } from './host.ts';

export interface CommandOptions {
  readonly timeoutMs: number;
  /** Text for standard input; without it standard input is empty. */
  readonly input?: string;
}

/** Between asking a command that is too slow to end and ending it. */
const GRACE_MS = 2_000;

/** Administrators' tools live in sbin, which an ordinary user's PATH leaves out on Debian. */
export function searchPath(): string {
  return [process.env.PATH || '/usr/local/bin:/usr/bin:/bin', '/usr/sbin', '/sbin'].join(':');
}

function signalProcessGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // ESRCH: the whole group has ended meanwhile, which is what was wanted.
  }
}

/**
 * Runs a command, never through a shell, with LC_ALL=C, in `/`, in a process group of its own, so that Ctrl-C at the
 * terminal does not tear a command which changes the machine, and so that a time-out reaches its children too.
 * A command that is not installed is `{found: false}`; one that a signal ended has exit code 128 + signal, as in a
 * shell. Throws HostError: ETIMEDOUT, EACCES (not executable), ENOBUFS (more than 100 MB of output).
 */
export async function runCommand(argv: readonly string[], options: CommandOptions): Promise<QueryResult> {
  const [command, ...parameters] = argv;
  if (command === undefined) throw new Error('runCommand needs at least the name of a command');
  // Loaded when first needed: most commands of hft that must answer at once run nothing.
  const { execa } = await import('execa');
  const subprocess = execa(command, parameters, {
    reject: false,
    stripFinalNewline: false,
    detached: true,
    cwd: '/',
    env: { LC_ALL: 'C', PATH: searchPath() },
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  let timedOut = false;
  const timers: NodeJS.Timeout[] = [];
  const { pid } = subprocess;
  if (pid !== undefined) {
    const end = () => {
      timedOut = true;
      signalProcessGroup(pid, 'SIGTERM');
      timers.push(setTimeout(() => abandon(pid), GRACE_MS));
    };
    const abandon = (leader: number) => {
      signalProcessGroup(leader, 'SIGKILL');
      // A grandchild that left the group may hold the pipes open for ever; nobody waits for it.
      subprocess.stdout?.destroy();
      subprocess.stderr?.destroy();
    };
    timers.push(setTimeout(end, options.timeoutMs));
  }
  const result = await subprocess;
  for (const timer of timers) clearTimeout(timer);
  if (timedOut) throw new HostError('run', argv.join(' '), 'ETIMEDOUT', { cause: result });
  if (result.isMaxBuffer) throw new HostError('run', argv.join(' '), 'ENOBUFS', { cause: result });
  // EACCES of a bare name: a folder of PATH is closed to this user, and no other has the command.
  if (result.code === 'ENOENT' || (result.code === 'EACCES' && !command.includes('/'))) return { found: false };
  const exitCode =
    result.exitCode ?? (result.signal === undefined ? undefined : 128 + constants.signals[result.signal]);
  if (exitCode === undefined) throw new HostError('run', argv.join(' '), result.code ?? 'EIO', { cause: result });
  return { found: true, exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** Starts a process in a session of its own (setsid(2)), so that it outlives hft and the terminal. Returns when the
 *  program runs. Throws HostError: ENOENT, EACCES. */
export async function startCommand(argv: readonly string[]): Promise<void> {
  const [command, ...parameters] = argv;
  if (command === undefined) throw new Error('startCommand needs at least the name of a command');
  const { spawn } = await import('node:child_process');
  const env = { ...process.env, PATH: searchPath() };
  const child = spawn(command, parameters, { detached: true, stdio: 'ignore', cwd: '/', env });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(toHostError('start', argv.join(' '), error)));
  });
  child.unref();
}
