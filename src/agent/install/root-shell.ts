import type { Readable } from 'node:stream';
import { HftError } from '../../errors.ts';
import type { RemoteResult, SshSession } from '../../host/ssh/session.ts';
import { quote } from '../../host/ssh/ssh-error.ts';
import { plainText } from '../client/plain-text.ts';

/** Runs a script of sh(1) on the host as root. */
export type RootShell = (script: string, input?: Readable) => Promise<RemoteResult>;

/** Root's own login, or sudo without a password. Throws HftError where neither is. */
export async function openRootShell(host: string, session: SshSession): Promise<RootShell> {
  const { stdout } = await session.run('id -u');
  const isRoot = stdout.trim().split('\n').at(-1) === '0';
  if (!isRoot) await requireSudo(host, session);
  const sudo = isRoot ? '' : 'sudo -n ';
  return (script, input) => session.run(`${sudo}sh -c ${quote(script)}`, input);
}

async function requireSudo(host: string, session: SshSession): Promise<void> {
  const refuse = (reason: string, next: string) => new HftError(`${host}: ${reason}.`, { exitCode: 3, next: [next] });
  const { login } = session;
  if ((await session.run('command -v sudo')).exitCode !== 0)
    throw refuse(
      `${login} is not root, and there is no sudo there`,
      'Log in as root: `User root` in ssh_config, or `ansible_user=root`.',
    );
  const tried = await session.run('sudo -n true');
  if (tried.exitCode === 0) return;
  const said = plainText(tried.stderr.trim().split('\n').at(-1) ?? '');
  throw refuse(
    `${login} may not become root without a password${said === '' ? '' : `: ${said.replace(/\.$/, '')}`}`,
    `\`${login.split('@')[0]} ALL=(root) NOPASSWD: ALL\` in a file of /etc/sudoers.d there, or log in as root.`,
  );
}
