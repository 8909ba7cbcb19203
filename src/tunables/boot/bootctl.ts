/** What `bootctl list --json` tells of systemd-boot's menu. https://www.freedesktop.org/software/systemd/man/latest/bootctl.html */
export interface SystemdBootEntry {
  readonly id: string;
  readonly type: string;
  readonly path: string | undefined;
  readonly isDefault: boolean;
}

/** The entries that `bootctl list --json` tells of; none for text that is no such list. */
export function listSystemdBootEntries(json: string): readonly SystemdBootEntry[] {
  const parsed = parseJson(json);
  if (!Array.isArray(parsed)) return [];
  return parsed.map((entry: Record<string, unknown>) => ({
    id: String(entry.id ?? ''),
    type: String(entry.type ?? ''),
    path: typeof entry.path === 'string' ? entry.path : undefined,
    isDefault: entry.isDefault === true,
  }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
