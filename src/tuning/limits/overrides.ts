import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import type { Refusal } from '../domain.ts';
import { type Account, findEffective, isSameLimit, type LimitEntry, parseLimits } from './limits-conf.ts';

/** A file of limits that somebody else wrote. Text undefined: it is there and was not read. */
export interface LimitsFile {
  readonly path: string;
  readonly text: string | undefined;
}

/** undefined: it is not there, or it cannot be read. */
export async function readLimitsFile(host: HostReader, path: string): Promise<string | undefined> {
  try {
    return await host.readText(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** What decides whether entries count. */
export interface Overriding {
  /** /etc/security/limits.conf, then limits.d in the order of its names; hft's own is not among them. */
  readonly files: readonly LimitsFile[];
  /** Empty where names come from a directory service too: then only entries about the same name are compared. */
  readonly accounts: readonly Account[];
}

/**
 * The limits of hft's file that do not come into effect, because an entry elsewhere counts for more: one that is read
 * later, or one for a user where hft's is for a group. One refusal for each limit and entry.
 */
export function findOverrides(
  own: { path: string; text: string },
  { files, accounts }: Overriding,
): readonly Refusal[] {
  const all = [...files, own].sort(inReadingOrder);
  const unread = all.filter(({ text }) => text === undefined).map(({ path }) => path);
  const entries = all.flatMap(({ path, text }) => parseLimits(path, text ?? ''));
  const refused: Refusal[] = unread.map((path) => ({
    id: `limits.pam@${path}`,
    kind: 'unknown',
    reason: `${path} was not read: whether it overrides what hft sets is not known.`,
  }));
  for (const wanted of entries.filter((entry) => entry.path === own.path)) {
    for (const [entry, names] of findStronger(wanted, entries, accounts)) refused.push(refuse(wanted, entry, names));
  }
  return refused;
}

/** limits.conf first, then limits.d by the bytes of the names (glob in the C locale). */
function inReadingOrder(left: LimitsFile, right: LimitsFile): number {
  const key = ({ path }: LimitsFile) => `${path.includes('/limits.d/') ? 1 : 0}${path.split('/').at(-1)}`;
  return key(left) < key(right) ? -1 : 1;
}

/** The entries that win over a wanted one, and for whom. */
function findStronger(
  wanted: LimitEntry,
  entries: readonly LimitEntry[],
  accounts: readonly Account[],
): ReadonlyMap<LimitEntry, readonly string[]> {
  const item = wanted.item as string;
  const stronger = new Map<LimitEntry, readonly string[]>();
  for (const account of concerned(wanted.domain, accounts)) {
    for (const type of ['soft', 'hard'] as const) {
      const winner = findEffective(account, { item, type }, entries);
      if (winner === undefined || winner.path === wanted.path) continue;
      if (winner.item !== undefined && isSameLimit(winner.value, wanted.value)) continue;
      const names = [...(stronger.get(winner) ?? []), ...(account.name === undefined ? [] : [account.name])];
      stronger.set(winner, [...new Set(names)]);
    }
  }
  return stronger;
}

/** Who a wanted limit is for; nobody in particular when no member of a group is known. Limits of groups are not root's. */
function concerned(domain: string, accounts: readonly Account[]): readonly Account[] {
  if (!domain.startsWith('@')) {
    return [accounts.find(({ name }) => name === domain) ?? { name: domain, uid: undefined, groups: [] }];
  }
  const group = domain.slice(1);
  const members = accounts.filter(({ uid, groups }) => uid !== 0 && groups.some(({ name }) => name === group));
  return members.length > 0
    ? members
    : [{ name: undefined, uid: undefined, groups: [{ name: group, gid: undefined }] }];
}

function refuse(wanted: LimitEntry, { path, line, domain, type, item, value }: LimitEntry, names: readonly string[]) {
  const words = [domain, type, item, value].filter((word) => word !== undefined && word !== '').join(' ');
  const isUsers = wanted.domain.startsWith('@') && !domain.startsWith('@');
  const why = isUsers ? "a user's own limits count for more than a group's" : 'it is read later';
  const shown = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  const whom = wanted.domain.startsWith('@') && names.length > 0 ? ` for ${shown}` : '';
  return {
    id: `limits.${wanted.item}@${wanted.domain}`,
    kind: 'conflict',
    reason: `${path}:${line} says "${words}"${whom}, which counts for more than ${wanted.value} here: ${why}. Take it out there.`,
  } as const;
}

/** Who there is, by /etc/passwd and /etc/group. */
export function listAccounts(passwd: string, group: string): readonly Account[] {
  const groups = group.split('\n').flatMap((line) => {
    const [name, , gid, members] = line.split(':');
    return name && gid ? [{ name, gid: Number(gid), members: (members ?? '').split(',') }] : [];
  });
  return passwd.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (!name || !uid) return [];
    const own = groups.filter((each) => each.gid === Number(gid) || each.members.includes(name));
    return [{ name, uid: Number(uid), groups: own.map((each) => ({ name: each.name, gid: each.gid })) }];
  });
}
