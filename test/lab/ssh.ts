import { createWriteStream } from 'node:fs';
import { execa } from 'execa';
import { LabError } from './lab-error.ts';

export interface SshTarget {
  readonly port: number;
  readonly key: string;
  /** Path of the socket that the one connection of all commands listens on. */
  readonly control: string;
}

export interface SshOptions {
  /** The command is ended after this time; 120 unless told otherwise. */
  readonly timeoutS?: number;
  /** Do not throw when the command's exit code is not 0. */
  readonly allowFail?: boolean;
  /** Text for the command's standard input. */
  readonly input?: string;
}

/** `code` is the command's exit code, 255 when ssh itself failed, undefined when it was ended after its time. */
export interface SshResult {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export function listSshOptions(target: SshTarget): string[] {
  const settings = {
    IdentityFile: target.key,
    IdentitiesOnly: 'yes',
    // The guest's key is new with every image and the port is reused: there is nobody to remember.
    StrictHostKeyChecking: 'no',
    UserKnownHostsFile: '/dev/null',
    LogLevel: 'ERROR',
    ConnectTimeout: '30',
    ServerAliveInterval: '10',
    ServerAliveCountMax: '4',
    ControlMaster: 'auto',
    ControlPath: target.control,
    ControlPersist: '600',
  };
  return ['-F', 'none', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

/** Runs a shell command as root in the guest. */
export async function runSsh(target: SshTarget, command: string, options: SshOptions = {}): Promise<SshResult> {
  const args = [...listSshOptions(target), '-p', String(target.port), 'root@127.0.0.1', command];
  const result = await execa('ssh', args, {
    reject: false,
    timeout: (options.timeoutS ?? 120) * 1000,
    maxBuffer: 1 << 28,
    stripFinalNewline: true,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
  });
  const answer = { code: result.exitCode, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
  if (answer.code === 0 || options.allowFail === true) return answer;
  const end =
    answer.code === undefined ? `did not end within ${options.timeoutS ?? 120} s` : `exit code ${answer.code}`;
  throw new LabError(`In the guest: ${command}\n${end}\n${answer.stdout.slice(-2000)}\n${answer.stderr.slice(-2000)}`);
}

/** Copies with tar through the same connection: files and folders, modes kept, no second handshake. */
export async function copyIn(target: SshTarget, localPath: string, guestPath: string): Promise<void> {
  const args = [...listSshOptions(target), '-p', String(target.port), 'root@127.0.0.1'];
  const unpack = `d=$(mktemp -d) && tar -x -C "$d" && mkdir -p "$(dirname '${guestPath}')" && rm -rf '${guestPath}' && mv "$d"/* '${guestPath}' && rmdir "$d"`;
  const folder = localPath.replace(/\/[^/]*\/?$/, '') || '/';
  const name = localPath.replace(/\/$/, '').split('/').at(-1) ?? '.';
  const send = execa('tar', ['-c', '-h', '--owner=0', '--group=0', '-C', folder, name], { buffer: false });
  await send.pipe('ssh', [...args, unpack]);
}

export async function copyOut(target: SshTarget, guestPath: string, localPath: string): Promise<void> {
  const args = [...listSshOptions(target), '-p', String(target.port), 'root@127.0.0.1', `cat '${guestPath}'`];
  const file = createWriteStream(localPath);
  const copy = execa('ssh', args, { buffer: false, stdin: 'ignore' });
  copy.stdout.pipe(file);
  await Promise.all([copy, new Promise((resolve, reject) => file.on('finish', resolve).on('error', reject))]);
}

/** Drops the shared connection: after a reboot it points at a machine that is gone. */
export async function disconnect(target: SshTarget): Promise<void> {
  await execa('ssh', [...listSshOptions(target), '-O', 'exit', 'root@127.0.0.1'], { reject: false });
}
