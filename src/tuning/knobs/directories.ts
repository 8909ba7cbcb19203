import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { type Knob, placesOf } from './knob.ts';

/** The names in each folder that was looked into; absent: no such folder; unreadable: it needs more rights. */
export type Directories = Readonly<Record<string, readonly string[] | 'absent' | 'unreadable'>>;

/** How a path stands to what was listed. unlisted: its folder was not looked into. */
export type Presence = 'present' | 'absent' | 'unreadable' | 'unlisted';

/** Every kernel has it, and captures made by other tools (hwloc, lscpu) do not hold it. */
const ALWAYS_THERE = '/proc/sys/kernel';

/** The one reason for all that such a capture cannot tell. */
export const NOT_CAPTURED =
  'This capture of the machine does not hold it, nor /proc/sys: whether the machine has it is not known. `hft snapshot` captures it.';

/** Whether what is not there is not on the machine either. */
export function isWhole(directories: Directories): boolean {
  return directories[ALWAYS_THERE] !== 'absent';
}

/** The same for domains that list no folders of knobs. */
export async function observeWhole(host: HostReader): Promise<boolean> {
  return isWhole(await listDirectories(host, []));
}

/** Lists folders, each once. A folder that cannot be read is a value: debugfs is closed to everybody but root. */
export async function listDirectories(host: HostReader, paths: Iterable<string>): Promise<Directories> {
  const unique = [...new Set([ALWAYS_THERE, ...paths])].sort();
  const listed = await Promise.all(unique.map((path) => listDirectory(host, path)));
  return Object.fromEntries(unique.map((path, index) => [path, listed[index] as Directories[string]]));
}

async function listDirectory(host: HostReader, path: string): Promise<Directories[string]> {
  try {
    return (await host.list(path)) ?? 'absent';
  } catch (error) {
    if (error instanceof HostError) return 'unreadable';
    throw error;
  }
}

/** Every folder in which one of these knobs can be. */
export function foldersOf(knobs: readonly Knob[]): readonly string[] {
  return [...new Set(knobs.flatMap((knob) => placesOf(knob).map((place) => folderOf(place.path))))];
}

export function findPresence(directories: Directories, path: string): Presence {
  const names = directories[folderOf(path)];
  if (names === undefined) return 'unlisted';
  if (names === 'absent' || names === 'unreadable') return names;
  return names.includes(path.slice(path.lastIndexOf('/') + 1)) ? 'present' : 'absent';
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
