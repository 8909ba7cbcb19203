import { UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import type { Account } from '../launch/start-line.ts';

/** The ids behind the names of a process's user and group; undefined where it runs as whoever starts it. Throws UsageError. */
export async function resolveAccount(
  reader: HostReader,
  { user, group }: { readonly user?: string | undefined; readonly group?: string | undefined },
): Promise<Account | undefined> {
  if (user === undefined) {
    if (group === undefined) return undefined;
    throw new UsageError(`The group ${group} needs a user beside it.`, { next: ['Write `user:` too.'] });
  }
  // passwd(5): name:password:uid:gid:comment:home:shell
  const [, , uid, gid, , home] = (await ask(reader, ['getent', 'passwd', user])).split(':');
  const own = group === undefined ? gid : (await ask(reader, ['getent', 'group', group])).split(':')[2];
  const others = (await ask(reader, ['id', '-G', user])).split(' ');
  const groups = [...new Set([own, ...others].map(Number))];
  return { user: Number(uid), groups, name: user, home: home || '/' };
}

async function ask(reader: HostReader, argv: readonly string[]): Promise<string> {
  const result = await reader.query(argv);
  if (result.found && result.exitCode === 0) return result.stdout.trim();
  throw new UsageError(`\`${argv.join(' ')}\` has no answer: there is no such account.`);
}
