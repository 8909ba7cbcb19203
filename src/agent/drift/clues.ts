import { type Clues, RIVALS, type Rival } from '../../drift/suspects.ts';
import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { parseProcessStat } from '../../host/process-identity.ts';

const SYSCTL_FOLDERS = [
  '/usr/lib/sysctl.d',
  '/lib/sysctl.d',
  '/usr/local/lib/sysctl.d',
  '/run/sysctl.d',
  '/etc/sysctl.d',
];
const TICKS_PER_S = 100;

/** Programs that run and change settings. Read when something drifted, and not before. */
export async function findRivals(reader: HostReader, nowMs: number): Promise<readonly Rival[]> {
  const rivals: Rival[] = [];
  const uptimeS = Number((await readOrNothing(reader, '/proc/uptime'))?.split(' ')[0]);
  for (const name of (await reader.list('/proc')) ?? []) {
    if (!/^\d+$/.test(name)) continue;
    const comm = (await readOrNothing(reader, `/proc/${name}/comm`))?.trim() ?? '';
    if (!Object.hasOwn(RIVALS, comm)) continue;
    const stat = parseProcessStat((await readOrNothing(reader, `/proc/${name}/stat`)) ?? '');
    const startedMs = nowMs - (uptimeS - Number(stat?.startTicks) / TICKS_PER_S) * 1_000;
    rivals.push({ name: comm, pid: Number(name), startedMs: Number.isFinite(startedMs) ? startedMs : undefined });
  }
  return rivals;
}

/** What sysctl.d(5) says, the file that counts last. hft's own are not among them: what it wrote is what is wanted. */
export async function readSysctls(reader: HostReader): Promise<Clues['sysctls']> {
  const files = new Map<string, string>();
  for (const folder of SYSCTL_FOLDERS)
    for (const name of (await reader.list(folder)) ?? [])
      if (name.endsWith('.conf') && !name.includes('hft')) files.set(name, `${folder}/${name}`);
  const ordered = [...files].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, path]) => path);
  const found = new Map<string, { value: string; where: string }>();
  for (const path of [...ordered, '/etc/sysctl.conf']) {
    for (const [index, line] of ((await readOrNothing(reader, path)) ?? '').split('\n').entries()) {
      const { key, value } = /^\s*-?(?<key>[^#;=\s][^=\s]*)\s*=\s*(?<value>.*?)\s*$/.exec(line)?.groups ?? {};
      if (key !== undefined && value !== undefined)
        found.set(sysctlPath(key), { value, where: `${path}:${index + 1}` });
    }
  }
  return found;
}

/** Dots are slashes, unless the first separator is a slash, sysctl.d(5). */
function sysctlPath(key: string): string {
  const isSlashed = key.search(/[./]/) >= 0 && key[key.search(/[./]/)] === '/';
  const swap = (text: string) => text.replace(/[./]/g, (each) => (each === '.' ? '/' : '.'));
  return `/proc/sys/${isSlashed ? key : swap(key)}`;
}

const DPKG = /^(?<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:configure|install|upgrade) (?<name>[^\s:]+)/;
const RPM = /^(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) \S+ (?:Installed|Upgrade|Upgraded): (?<name>\S+)/;

/** Packages that were installed or set up between two times, ms since 1970; the logs say whole seconds, dpkg's in local time. */
export async function findPackages(reader: HostReader, fromMs: number, toMs: number): Promise<Clues['packages']> {
  const found = new Map<string, string>();
  for (const [path, pattern] of [
    ['/var/log/dpkg.log', DPKG],
    ['/var/log/dnf.rpm.log', RPM],
  ] as const) {
    for (const line of ((await readOrNothing(reader, path)) ?? '').split('\n')) {
      const { time, name } = pattern.exec(line)?.groups ?? {};
      if (time === undefined || name === undefined) continue;
      const atMs = new Date(time.replace(' ', 'T')).getTime();
      if (atMs >= fromMs - 1_000 && atMs <= toMs) found.set(name, `${path}: ${time}`);
    }
  }
  return [...found].map(([name, evidence]) => ({ name, evidence }));
}

/** How often each link was lost and came back, and which device has the name. */
export interface LinkSight {
  readonly changes: string | undefined;
  readonly index: string | undefined;
}

export async function readLinks(
  reader: HostReader,
  devices: Iterable<string>,
): Promise<ReadonlyMap<string, LinkSight>> {
  const links = new Map<string, LinkSight>();
  for (const device of devices) {
    const folder = `/sys/class/net/${device}`;
    const changes = (await readOrNothing(reader, `${folder}/carrier_changes`))?.trim();
    if (changes === undefined) continue;
    links.set(device, { changes, index: (await readOrNothing(reader, `${folder}/ifindex`))?.trim() });
  }
  return links;
}

/** Links that were reset between two sights of them. Pure. */
export function findResets(
  before: ReadonlyMap<string, LinkSight>,
  now: ReadonlyMap<string, LinkSight>,
): Clues['links'] {
  return [...now].flatMap(([device, { changes, index }]) => {
    const old = before.get(device);
    if (old === undefined || (old.changes === changes && old.index === index)) return [];
    const evidence =
      old.index === index
        ? `its carrier changed, ${old.changes} → ${changes} times (carrier_changes)`
        : `it is another device now (ifindex ${old.index} → ${index})`;
    return [{ device, evidence }];
  });
}

/** A process that ended, a file that nobody may read: no clue. */
async function readOrNothing(reader: HostReader, path: string): Promise<string | undefined> {
  try {
    return await reader.readText(path);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
