/**
 * systemd-boot's menu as `bootctl list --json=short` tells of it, and the entry that it takes by default. bootctl counts a
 * one-time choice as the default and systemd 252 does not tell the default at all, so that is decided here.
 * https://www.freedesktop.org/software/systemd/man/latest/bootctl.html, loader.conf(5)
 */
export interface SystemdBootEntry {
  readonly id: string;
  /** type1: an entry file. type2: a unified kernel image. other: firmware, another system's loader. */
  readonly type: 'type1' | 'type2' | 'other';
  readonly path: string | undefined;
  /** Where the partition that the entry lies on is mounted. */
  readonly root: string | undefined;
}

/** In the order of the menu. systemd 252 prints an object a line, later ones a list; none for text that is neither. */
export function listSystemdBootEntries(json: string): readonly SystemdBootEntry[] {
  const whole = parseJson(json);
  const found = Array.isArray(whole) ? whole : json.split('\n').map(parseJson);
  return found.filter(isRecord).map((entry) => {
    const path = typeof entry.path === 'string' ? entry.path : undefined;
    const root = typeof entry.root === 'string' ? entry.root : undefined;
    return { id: String(entry.id ?? ''), type: typeOf(path), path, root };
  });
}

/** What systemd-boot decides its default from. */
export interface SystemdBootChoice {
  readonly entries: readonly SystemdBootEntry[];
  /** The EFI variables LoaderEntryDefault and LoaderEntryLastBooted; '' when they are not set. */
  readonly chosen: string;
  readonly lastBooted: string;
  /** loader.conf */
  readonly config: string | undefined;
}

/** The entry that systemd-boot takes when nobody touches the keyboard and no one-time choice is made. */
export function defaultSystemdBootEntry({
  entries,
  chosen,
  lastBooted,
  config,
}: SystemdBootChoice): SystemdBootEntry | undefined {
  const pattern = /^\s*default\s+(?<pattern>\S+)/m.exec(config ?? '')?.groups?.pattern ?? '';
  const wishes = [chosen, pattern].map((wish) => (wish === '@saved' ? lastBooted : wish)).filter((wish) => wish !== '');
  for (const wish of wishes) {
    const found = entries.find((entry) => matchesGlob(entry.id, wish));
    if (found) return found;
  }
  return entries.find((entry) => entry.type !== 'other');
}

function typeOf(path: string | undefined): SystemdBootEntry['type'] {
  if (path?.endsWith('.conf')) return 'type1';
  return path?.toLowerCase().endsWith('.efi') ? 'type2' : 'other';
}

function matchesGlob(id: string, glob: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 'i').test(id);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
