import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { ofChild } from './child-stream.ts';
import type { RemoteResult, SshDestination, SshSession } from './session.ts';
import { labelOf, lastLine, type SshSettings, sshWords, typedOf } from './settings.ts';
import { SshError } from './ssh-error.ts';

/** ssh(1): its own failure, whatever the command's exit code would be. */
const OWN_FAILURE = 255;

/** One connection for all commands, on a socket of our own; the host key must be known, and nobody is asked anything. */
const OPTIONS = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'UpdateHostKeys=no',
  'ControlMaster=auto',
  'ControlPersist=yes',
  'ConnectTimeout=20',
  'ServerAliveInterval=10',
  'ServerAliveCountMax=3',
  'RequestTTY=no',
  'RemoteCommand=none',
  'LogLevel=ERROR',
];

/** By the system's ssh, for what is beyond node-ssh. Throws SshError. */
export async function openSystemSession(destination: SshDestination, settings: SshSettings): Promise<SshSession> {
  const session = new SystemSession(destination, `${settings.user}@${settings.hostname}`);
  const { exitCode, stderr } = await session.runSsh([], 'exit 0');
  if (exitCode === 0) return session;
  session.close();
  const typed = typedOf(destination);
  throw new SshError(labelOf(destination), `ssh does not get in: ${lastLine(stderr) || `it ended with ${exitCode}`}`, [
    `Try \`${typed}\`: it must get in without a question (a known host key, a key or certificate in the agent or without a passphrase).`,
  ]);
}

class SystemSession implements SshSession {
  readonly login: string;
  readonly #destination: SshDestination;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hft-ssh-'));

  constructor(destination: SshDestination, login: string) {
    this.#destination = destination;
    this.login = login;
  }

  async run(command: string, input?: string | Readable): Promise<RemoteResult> {
    const result = await this.runSsh([], command, input);
    if (result.exitCode !== OWN_FAILURE) return result;
    throw new SshError(labelOf(this.#destination), `the SSH session was lost: ${lastLine(result.stderr)}`, [
      'What was begun there goes on to its end; the same command looks again, and goes on from there.',
    ]);
  }

  async runSsh(more: readonly string[], command: string, input?: string | Readable): Promise<RemoteResult> {
    const child = this.#start([...more, ...this.#words(), command]);
    const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
    // A command that ends before it has read all: what it says of it counts.
    child.stdin.on('error', () => {});
    if (typeof input === 'object') input.pipe(child.stdin);
    else child.stdin.end(input ?? '');
    const exitCode = await new Promise<number>((resolve) => {
      child.once('error', () => resolve(OWN_FAILURE));
      child.once('close', (code) => resolve(code ?? OWN_FAILURE));
    });
    return { exitCode, stdout: stdout(), stderr: stderr() };
  }

  async dial(port: number): Promise<Duplex> {
    const child = this.#start(['-W', `127.0.0.1:${port}`, ...this.#words()]);
    child.stderr.resume();
    const stream = ofChild(child);
    stream.once('close', () => child.kill());
    return stream;
  }

  close(): void {
    const child = this.#start(['-O', 'exit', ...this.#words()]);
    child.once('close', () => rmSync(this.#folder, { recursive: true, force: true }));
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }

  #words(): readonly string[] {
    const control = ['-o', `ControlPath=${this.#folder}/control`];
    return [...OPTIONS.flatMap((option) => ['-o', option]), ...control, ...sshWords(this.#destination)];
  }

  #start(words: readonly string[]) {
    return spawn('ssh', words, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  }
}

function gather(stream: Readable): () => string {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString('utf8');
}
