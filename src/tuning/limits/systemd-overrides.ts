import type { HostReader } from '../../host/host.ts';
import type { Refusal } from '../domain.ts';
import { isSameLimit } from './limits-conf.ts';
import { type LimitsFile, readLimitsFile } from './overrides.ts';

/** Where drop-ins of systemd-system.conf(5) are; a name counts once, in the first folder that has it. */
const FOLDERS = ['/etc', '/run', '/usr/local/lib', '/usr/lib'].map((top) => `${top}/systemd/system.conf.d`);

/** The drop-ins of systemd's manager that are read after `own`, in reading order: by name, whatever their folder. */
export async function readLaterDropIns(host: HostReader, own: string): Promise<readonly LimitsFile[]> {
  const paths = new Map<string, string>();
  for (const folder of FOLDERS) {
    for (const name of (await host.list(folder)) ?? []) {
      if (name.endsWith('.conf') && name > nameOf(own) && !paths.has(name)) paths.set(name, `${folder}/${name}`);
    }
  }
  const inOrder = [...paths].sort(([left], [right]) => (left < right ? -1 : 1));
  return Promise.all(inOrder.map(async ([, path]) => ({ path, text: await readLimitsFile(host, path) })));
}

/** The defaults of hft's drop-in that a later one sets otherwise; the last one wins. */
export function findSystemdOverrides(
  own: { readonly path: string; readonly text: string },
  later: readonly LimitsFile[],
): readonly Refusal[] {
  const unread = later.filter(({ text }) => text === undefined).map(refuseUnread);
  const winners = new Map(later.flatMap(readDefaults).map((entry) => [entry.key, entry]));
  const overridden = readDefaults(own).flatMap((wanted) => {
    const winner = winners.get(wanted.key);
    return winner === undefined || isSameLimit(inBytes(winner.value), inBytes(wanted.value))
      ? []
      : [refuse(wanted, winner)];
  });
  return [...unread, ...overridden];
}

interface Default {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** `DefaultLimitMEMLOCK` */
  readonly key: string;
  /** Empty: back to what systemd has built in. */
  readonly value: string;
}

function readDefaults({ path, text }: LimitsFile): readonly Default[] {
  let section = '';
  return (text ?? '').split('\n').flatMap((raw, index) => {
    section = /^\s*\[(.*)\]\s*$/.exec(raw)?.[1] ?? section;
    const { key, value } = /^\s*(?<key>DefaultLimit[A-Z]+)\s*=\s*(?<value>.*?)\s*$/.exec(raw)?.groups ?? {};
    return section === 'Manager' && key !== undefined ? [{ path, line: index + 1, key, value: value ?? '' }] : [];
  });
}

/** `64M` is 67108864 to systemd, to the base of 1024. */
function inBytes(value: string): string {
  const { digits, unit } = /^(?<digits>\d+)(?<unit>[KMGT])$/.exec(value)?.groups ?? {};
  return unit === undefined ? value : String(Number(digits) * 1024 ** (1 + 'KMGT'.indexOf(unit)));
}

function refuse(wanted: Default, { path, line, key, value }: Default): Refusal {
  const item = key.slice('DefaultLimit'.length).toLowerCase();
  const reason = `${path}:${line} says "${key}=${value}", which counts for more than ${wanted.value} here: it is read later. Take it out there.`;
  return { id: `limits.${item}@services`, kind: 'conflict', reason };
}

function refuseUnread({ path }: LimitsFile): Refusal {
  return {
    id: `limits.systemd@${path}`,
    kind: 'unknown',
    reason: `${path} was not read: whether it overrides what hft sets is not known.`,
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
