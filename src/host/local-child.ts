import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { errnoOf, toHostError } from './errno.ts';
import type { Child, ChildEnd } from './host.ts';
import { searchPath } from './local-command.ts';

/**
 * Starts a process, never through a shell, with LC_ALL=C, in `/`, without input, in a process group of its own. Returns when the
 * program runs; undefined when there is none. Throws HostError: EACCES.
 *
 * It is started by the main thread, so a program that asks for PR_SET_PDEATHSIG (prctl(2)) dies with this process: the signal
 * is sent when the thread that started it ends.
 */
export async function startLocalChild(argv: readonly string[]): Promise<Child | undefined> {
  const [command, ...parameters] = argv;
  if (command === undefined) throw new Error('startLocalChild needs at least the name of a command');
  const { spawn } = await import('node:child_process');
  const child = spawn(command, parameters, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    env: { ...process.env, LC_ALL: 'C', PATH: searchPath() },
  });
  const ended = watchEnd(child);
  try {
    await once(child, 'spawn');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw toHostError('start', argv.join(' '), error);
  }
  return { pid: child.pid as number, output: child.stdout, ended, signal: (name) => void child.kill(name) };
}

function watchEnd(child: ChildProcessByStdio<null, Readable, Readable>): Promise<ChildEnd> {
  const said: Buffer[] = [];
  child.stderr.on('data', (piece: Buffer) => said.push(piece));
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      resolve({ exitCode, stderr: Buffer.concat(said).toString('utf8') });
    });
  });
}
