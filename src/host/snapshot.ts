import fs from 'node:fs';
import { HostError, UsageError } from '../errors.ts';
import { openArchiveTree } from './archive.ts';
import { onPath } from './errno.ts';
import { openFolderTree } from './folder-tree.ts';
import type { HostReader } from './host.ts';
import { EXCEPTIONS_FILE } from './snapshot-exceptions.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import type { TreeFolder } from './snapshot-tree.ts';

/** A captured machine, read-only. `close` gives its memory back; nothing is left on disk. */
export type Snapshot = HostReader & { close(): Promise<void> };

/** hwloc-gather-topology and lscpu's dump script put one folder around the machine; people put another. */
const MOST_LEVELS_DOWN = 3;

const HOW_TO_MAKE_ONE = [
  'Make one with `hft snapshot FILE` on the machine, or give a folder that holds its /proc and /sys.',
];

/**
 * Opens a captured machine: a folder with `proc` or `sys` in it or up to three levels below, or a tar of one (plain,
 * .gz, .bz2, .xz, .zst, told by content). Paths and links never leave it. Throws UsageError when it is none or cannot
 * be read.
 */
export async function openSnapshot(path: string): Promise<Snapshot> {
  try {
    const reader = new SnapshotReader(path, findMachine(path, await openTree(path)));
    return Object.assign(reader, { close: async () => {} });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const next = error.next.length > 0 ? error.next : HOW_TO_MAKE_ONE;
    throw new UsageError(`${path} cannot be read as a snapshot: ${error.message}.`, { next, cause: error });
  }
}

async function openTree(path: string): Promise<TreeFolder> {
  // Where a link to a snapshot leads is its root; inside it links are followed by us.
  const real = onPath('read', path, () => fs.realpathSync(path));
  const isFolder = onPath('read', path, () => fs.statSync(real).isDirectory());
  return isFolder ? openFolderTree(real) : openArchiveTree(path);
}

/** A folder of the snapshot, and its names from the top on. */
interface Place {
  readonly names: readonly string[];
  readonly folder: TreeFolder;
}

function foldersIn({ names, folder }: Place): Place[] {
  return [...folder.listNames()].sort().flatMap((name) => {
    const below = folder.find(name);
    return below?.kind === 'folder' ? [{ names: [...names, name], folder: below }] : [];
  });
}

function isMachine({ folder }: Place): boolean {
  // What hft made is a machine even if none of its files was there.
  if (folder.find(EXCEPTIONS_FILE)?.kind === 'file') return true;
  return ['proc', 'sys'].some((name) => folder.find(name)?.kind === 'folder');
}

/** The one machine that is nearest to the top. */
function findMachine(path: string, top: TreeFolder): TreeFolder {
  let places: Place[] = [{ names: [], folder: top }];
  for (let level = 0; level <= MOST_LEVELS_DOWN; level++) {
    const machines = places.filter(isMachine);
    if (machines.length > 1) throw severalMachines(path, machines);
    if (machines[0] !== undefined) return machines[0].folder;
    places = places.flatMap(foldersIn);
  }
  throw new UsageError(
    `${path} is no snapshot: expected a folder with proc or sys in it, at the top or up to ${MOST_LEVELS_DOWN} levels ` +
      `down; found ${enumerate(top.listNames())}.`,
    { next: HOW_TO_MAKE_ONE },
  );
}

function severalMachines(path: string, machines: readonly Place[]): UsageError {
  const names = machines.map((place) => place.names.join('/'));
  return new UsageError(`${path} holds ${names.length} machines: ${enumerate(names)}. Expected one.`, {
    next: [`Give one of them, for example ${path}/${names[0]}.`],
  });
}

function enumerate(names: readonly string[]): string {
  const shown = [...names].sort().slice(0, 5);
  if (shown.length === 0) return 'nothing in it';
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}
