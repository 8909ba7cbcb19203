/** A line of limits.conf(5), with its place. */
export interface LimitEntry {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** `alice`, `@trading`, `*`, `1000:`, `@500:600`. */
  readonly domain: string;
  readonly type: 'soft' | 'hard' | '-';
  /** Undefined in `alice -`, which takes every limit off who it names. */
  readonly item: string | undefined;
  readonly value: string;
}

/** Somebody who can log in. */
export interface Account {
  /** Undefined: nobody in particular, in a group that has no members yet. */
  readonly name: string | undefined;
  readonly uid: number | undefined;
  readonly groups: readonly { readonly name: string; readonly gid: number | undefined }[];
}

/** The entries of one file. What pam_limits does not understand it passes over, and so does this. */
export function parseLimits(path: string, text: string): readonly LimitEntry[] {
  return text.split('\n').flatMap((raw, index): LimitEntry[] => {
    const [domain, type, item, value] = raw.replace(/#.*/, '').trim().split(/\s+/);
    const kind = type?.toLowerCase();
    if (!domain || (kind !== 'soft' && kind !== 'hard' && kind !== '-')) return [];
    const place = { path, line: index + 1, domain, type: kind } as const;
    if (item === undefined) return kind === '-' ? [{ ...place, item: undefined, value: '' }] : [];
    return value === undefined ? [] : [{ ...place, item: item.toLowerCase(), value: value.toLowerCase() }];
  });
}

/**
 * The entry that an account gets a limit from, of entries in the order in which pam_limits reads them: a user's own counts
 * for more than a group's, a group's for more than everybody's, and of equals the last. pam_limits.c, process_limit.
 */
export function findEffective(
  account: Account,
  wanted: { readonly item: string; readonly type: 'soft' | 'hard' },
  entries: readonly LimitEntry[],
): LimitEntry | undefined {
  let best: { readonly entry: LimitEntry; readonly rank: number } | undefined;
  for (const entry of entries) {
    const rank = rankOf(entry.domain, account);
    if (rank === undefined) continue;
    if (entry.item === undefined) return entry;
    const isMeant = entry.item === wanted.item && (entry.type === '-' || entry.type === wanted.type);
    if (isMeant && (best === undefined || rank <= best.rank)) best = { entry, rank };
  }
  return best?.entry;
}

/** Less counts for more; undefined: the entry is about others. Nothing but root's own entries is about root. */
function rankOf(domain: string, { name, uid, groups }: Account): number | undefined {
  if (domain === name) return 0;
  const isRoot = uid === 0;
  if (domain.startsWith('@')) {
    const rest = domain.slice(1);
    return !isRoot && groups.some((group) => group.name === rest || isInRange(rest, group.gid)) ? 1 : undefined;
  }
  if (isInRange(domain, uid)) return isRoot ? undefined : 0;
  return domain === '*' && !isRoot ? 2 : undefined;
}

/** `500:`, `:600`, `500:600`, and `500:500` for one. */
function isInRange(text: string, id: number | undefined): boolean {
  const range = /^(?<least>\d*):(?<most>\d*)$/.exec(text)?.groups;
  if (!range || id === undefined || (range.least === '' && range.most === '')) return false;
  return id >= Number(range.least || 0) && (range.most === '' || id <= Number(range.most));
}

/** Whether two texts are one limit. */
export function isSameLimit(left: string, right: string): boolean {
  const plain = (text: string) => (/^(?:-1|unlimited|infinity)$/.test(text) ? 'unlimited' : text);
  return plain(left) === plain(right) || (/\d/.test(left) && Number(left) === Number(right));
}
