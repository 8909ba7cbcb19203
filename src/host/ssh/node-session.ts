import fs from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { NodeSSH } from 'node-ssh';
import { ofChild } from './child-stream.ts';
import type { Judgement, KnownHosts } from './known-hosts.ts';
import type { SshDestination, SshSession } from './session.ts';
import { labelOf, type SshSettings, typedOf } from './settings.ts';
import { LoginRefused, SshError } from './ssh-error.ts';

const CONNECT_WITHIN_MS = 20_000;
const KEEPALIVE_MS = 10_000;
const MOST_UNANSWERED = 3;

/** The signatures to ask for, by the type of the known key: RSA never with SHA-1. */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** The types of keys that node-ssh can be asked for, of those that are known. */
export function offeredKeys(types: readonly string[]): readonly string[] {
  return types.flatMap((type) => SIGNATURES[type] ?? []);
}

/** By node-ssh, on a socket without Nagle's delay. Throws SshError, LoginRefused. */
export async function openNodeSession(
  destination: SshDestination,
  settings: SshSettings,
  known: KnownHosts,
): Promise<SshSession> {
  const { NodeSSH } = await import('node-ssh');
  const login = `${settings.user}@${settings.hostname}`;
  const ssh = new NodeSSH();
  const sock = await openSocket(destination, settings);
  let judgement: Judgement | undefined;
  try {
    await ssh.connect({
      sock,
      username: settings.user,
      authHandler: listLogins(settings),
      readyTimeout: CONNECT_WITHIN_MS,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: MOST_UNANSWERED,
      algorithms: { serverHostKey: hostKeysOf(known) },
      hostVerifier(key: Buffer) {
        judgement = known.judge(key);
        return judgement === 'known';
      },
    });
  } catch (error) {
    sock.destroy();
    throw explain({ destination, login, known, judgement, error });
  }
  // Without a listener a connection that is lost later would end hft; whoever waits for it hears of it.
  ssh.connection?.on('error', () => {});
  return new NodeSession(ssh, login, labelOf(destination));
}

class NodeSession implements SshSession {
  readonly login: string;
  readonly #ssh: NodeSSH;
  readonly #host: string;

  constructor(ssh: NodeSSH, login: string, host: string) {
    this.#ssh = ssh;
    this.login = login;
    this.#host = host;
  }

  async run(command: string, input?: Parameters<SshSession['run']>[1]) {
    try {
      const options = { noTrim: true, ...(input === undefined ? {} : { stdin: input }) };
      const { code, signal, stdout, stderr } = await this.#ssh.execCommand(command, options);
      if (code === null && signal === null) throw new Error('the connection was lost');
      return { exitCode: code ?? 128, stdout, stderr };
    } catch (error) {
      throw new SshError(this.#host, `the SSH session was lost: ${messageOf(error)}`, [
        'What was begun there goes on to its end; the same command looks again, and goes on from there.',
      ]);
    }
  }

  async dial(port: number): Promise<Duplex> {
    try {
      return await this.#ssh.forwardOut('127.0.0.1', 0, '127.0.0.1', port);
    } catch (error) {
      throw new SshError(this.#host, `its sshd makes no connection to port ${port} there: ${messageOf(error)}`, [
        '`AllowTcpForwarding local` in its sshd_config allows it.',
      ]);
    }
  }

  close(): void {
    this.#ssh.dispose();
  }
}

async function openSocket(destination: SshDestination, settings: SshSettings): Promise<Duplex> {
  return settings.proxyJump === undefined ? openDirect(destination, settings) : openThroughJump(destination, settings);
}

/** ssh2 leaves Nagle's algorithm on: with it a command takes 88 ms, without 2. */
function openDirect(destination: SshDestination, { hostname, port }: SshSettings): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port, noDelay: true });
    const fail = (reason: string) => {
      socket.destroy();
      const next = `Try \`${typedOf(destination)}\`.`;
      reject(new SshError(labelOf(destination), `no SSH connection to ${hostname} port ${port}: ${reason}`, [next]));
    };
    socket.setTimeout(CONNECT_WITHIN_MS, () => fail(`no answer within ${CONNECT_WITHIN_MS / 1_000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) => fail(SOCKET_FAILURES[error.code ?? ''] ?? error.message));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

const SOCKET_FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'the name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
};

/** The system's ssh goes to the jump hosts, with all that their configuration says, and passes the bytes on. */
async function openThroughJump(destination: SshDestination, settings: SshSettings): Promise<Duplex> {
  const { spawn } = await import('node:child_process');
  const hops = (settings.proxyJump as string).split(',');
  const last = hops.pop() as string;
  const words = [
    ...(destination.configFile === undefined ? [] : ['-F', destination.configFile]),
    ...['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes'],
    ...(hops.length > 0 ? ['-J', hops.join(',')] : []),
    ...['-W', `[${settings.hostname}]:${settings.port}`, '--', last.includes('://') ? last : `ssh://${last}`],
  ];
  const child = spawn('ssh', words, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  let said = '';
  child.stderr.on('data', (piece: Buffer) => (said += piece));
  const socket = ofChild(child);
  child.once('error', (error) => socket.destroy(error));
  child.once('close', () => {
    const why = said.trim().split('\n').at(-1) || 'it ended';
    socket.destroy(new Error(`by way of ${settings.proxyJump}: ${why}`));
  });
  socket.once('close', () => child.kill());
  return socket;
}

function hostKeysOf(known: KnownHosts): readonly string[] {
  const offered = offeredKeys(known.types);
  return offered.length > 0 ? offered : Object.values(SIGNATURES).flat();
}

/** The agent first, then the keys that need no passphrase; no password: nobody is asked. */
function listLogins({ user: username, agentSocket: agent, identityFiles, identitiesOnly }: SshSettings) {
  const keys = identityFiles.flatMap((file) => readKey(file)).map((key) => ({ type: 'publickey', username, key }));
  const byAgent = agent === undefined ? [] : [{ type: 'agent', username, agent }];
  return identitiesOnly ? [...keys, ...byAgent] : [...byAgent, ...keys];
}

function readKey(file: string): readonly string[] {
  try {
    const text = fs.readFileSync(file, 'utf8');
    return isEncrypted(text) ? [] : [text];
  } catch {
    return [];
  }
}

/** PEM says it in its head, OpenSSH's own form in its first word: the cipher. */
function isEncrypted(text: string): boolean {
  if (text.includes('ENCRYPTED')) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----(?<body>[^-]+)/.exec(text)?.groups?.body;
  if (body === undefined) return false;
  const bytes = Buffer.from(body, 'base64');
  const CIPHER_AT = 'openssh-key-v1\0'.length;
  const length = bytes.readUInt32BE(CIPHER_AT);
  return bytes.toString('latin1', CIPHER_AT + 4, CIPHER_AT + 4 + length) !== 'none';
}

interface Failed {
  readonly destination: SshDestination;
  readonly login: string;
  readonly known: KnownHosts;
  readonly judgement: Judgement | undefined;
  readonly error: unknown;
}

function explain({ destination, login, known, judgement, error }: Failed): SshError {
  const name = labelOf(destination);
  const typed = typedOf(destination);
  if (judgement === 'unknown')
    return new SshError(name, `its host key is not known: there is no ${known.name} in known_hosts`, [
      `Log in once by \`${typed}\`, compare the fingerprint with the one that its console shows, and say yes.`,
    ]);
  if (judgement === 'changed')
    return new SshError(name, `it shows another host key than the known one: somebody may be in between`, [
      `Nothing was sent. If the host was installed anew: \`ssh-keygen -R '${known.name}'\`, and \`${typed}\` to see the new key.`,
    ]);
  if (judgement === 'revoked')
    return new SshError(name, 'it shows a host key that known_hosts has as @revoked', [
      'Nothing was sent. Ask who revoked it.',
    ]);
  const level = error instanceof Error && 'level' in error ? error.level : undefined;
  if (level === 'client-authentication')
    return new LoginRefused(name, `sshd does not let ${login} in with the keys that are here`, [`Try \`${typed}\`.`]);
  return new SshError(name, `no SSH session: ${messageOf(error)}`, [`Try \`${typed}\`.`]);
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
