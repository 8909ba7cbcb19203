import { userInfo } from 'node:os';
import { HftError } from '../../errors.ts';
import { runCommand } from '../local-command.ts';
import type { SshDestination } from './session.ts';
import { SshError } from './ssh-error.ts';

/** What ssh(1) would do for a destination: all of ssh_config(5) worked out, with Include, Match and defaults. */
export interface SshSettings {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  readonly certificateFiles: readonly string[];
  readonly knownHostsFiles: readonly string[];
  /** The name to look for in known_hosts instead of host and port. */
  readonly hostKeyAlias: string | undefined;
  /** The socket of the agent; undefined: none is to be asked. */
  readonly agentSocket: string | undefined;
  readonly identitiesOnly: boolean;
  readonly proxyJump: string | undefined;
  /** Options of which each takes ssh(1) itself, as `name value`. */
  readonly beyond: readonly string[];
}

/** What somebody would type to see what ssh says of it. */
export function typedOf(destination: SshDestination): string {
  return ['ssh', ...sshWords(destination).filter((word) => word !== '--')].join(' ');
}

export function labelOf({ label, name }: SshDestination): string {
  return label ?? name;
}

const CONFIG_TIMEOUT_MS = 30_000;

/** The words by which ssh(1) is told where to go. */
export function sshWords({ name, user, port, identityFile, configFile }: SshDestination): readonly string[] {
  return [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(identityFile === undefined ? [] : ['-i', identityFile]),
    '--',
    name,
  ];
}

/** Asks `ssh -G`, which reads the user's configuration as ssh does. Throws SshError when there is no ssh, or the configuration has a mistake. */
export async function readSettings(destination: SshDestination): Promise<SshSettings> {
  const asked = await runCommand(['ssh', '-G', ...sshWords(destination)], { timeoutMs: CONFIG_TIMEOUT_MS });
  if (!asked.found)
    throw new HftError('There is no ssh here, which reads your ssh_config.', {
      next: ['Debian: `apt-get install openssh-client`; elsewhere `openssh-clients`.'],
    });
  if (asked.exitCode !== 0)
    throw new SshError(labelOf(destination), `ssh cannot make a destination of it: ${lastLine(asked.stderr)}`, [
      `See what \`ssh -G ${destination.name}\` says.`,
    ]);
  return parseSettings(asked.stdout, { home: userInfo().homedir, env: process.env });
}

interface Person {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What `ssh -G` printed: `name value` a line, names in lower case, some of them more than once. */
export function parseSettings(text: string, person: Person): SshSettings {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(' ');
    if (at < 1) continue;
    const name = line.slice(0, at);
    values.set(name, [...(values.get(name) ?? []), line.slice(at + 1).trim()]);
  }
  const one = (name: string) => values.get(name)?.[0];
  const isSet = (name: string) => ![undefined, 'none', ''].includes(one(name));
  const expand = (path: string) => path.replace(/^~(?=\/)/, person.home).replaceAll('%d', person.home);
  const files = (name: string) =>
    (values.get(name) ?? []).flatMap((value) => value.split(' ')).filter((file) => file !== '' && file !== 'none');
  return {
    hostname: one('hostname') ?? '',
    port: Number(one('port') ?? 22),
    user: one('user') ?? '',
    identityFiles: (values.get('identityfile') ?? []).filter((file) => file !== 'none').map(expand),
    certificateFiles: (values.get('certificatefile') ?? []).filter((file) => file !== 'none').map(expand),
    knownHostsFiles: [...files('userknownhostsfile'), ...files('globalknownhostsfile')].map(expand),
    hostKeyAlias: one('hostkeyalias'),
    agentSocket: agentSocketOf(one('identityagent'), person),
    identitiesOnly: one('identitiesonly') === 'yes',
    proxyJump: isSet('proxyjump') ? one('proxyjump') : undefined,
    beyond: BEYOND.filter(isSet).map((name) => `${name} ${one(name)}`),
  };
}

/** What is beyond node-ssh: commands instead of a socket, keys in hardware, lists that only ssh reads. */
const BEYOND = [
  'proxycommand',
  'pkcs11provider',
  'knownhostscommand',
  'revokedhostkeys',
  'bindaddress',
  'bindinterface',
];

function agentSocketOf(value: string | undefined, { home, env }: Person): string | undefined {
  if (value === 'none') return undefined;
  if (value === undefined || value === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK || undefined;
  if (value.startsWith('$')) return env[value.replace(/^\$\{?|\}$/g, '')] || undefined;
  return value.replace(/^~(?=\/)/, home);
}

export function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').trim().replace(/\.$/, '');
}
