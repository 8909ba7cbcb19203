import { HostError } from '../errors.ts';

/** One thing in a snapshot. Contents are read when asked for. */
export type TreeNode =
  | { readonly kind: 'file'; readonly readText: () => string }
  | { readonly kind: 'folder'; readonly listNames: () => readonly string[] }
  | { readonly kind: 'link'; readonly target: string };

/** A captured file tree. `lookUp` takes the names from the root on and never follows a link. */
export interface SnapshotTree {
  lookUp(names: readonly string[]): TreeNode | undefined;
}

/** As many links as the kernel follows in one path, path_resolution(7). */
const MOST_LINKS = 40;

export function splitPath(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** Part of a tree with a root of its own: nothing above it can be reached. */
export function subtreeAt(tree: SnapshotTree, root: readonly string[]): SnapshotTree {
  return root.length === 0 ? tree : { lookUp: (names) => tree.lookUp([...root, ...names]) };
}

/**
 * Finds a path as the kernel would with the snapshot as its root directory, path_resolution(7): links are followed,
 * absolute targets start at the root of the snapshot, `..` at the root stays there. `atLink: 'stop'` leaves a link in
 * the last place as it is. undefined when it does not exist. Throws HostError ELOOP.
 */
export function resolvePath(tree: SnapshotTree, path: string, atLink: 'follow' | 'stop'): TreeNode | undefined {
  const pending = splitPath(path).reverse();
  let place: string[] = [];
  let node = tree.lookUp(place);
  let links = 0;
  while (pending.length > 0) {
    if (node?.kind !== 'folder') return undefined;
    const name = pending.pop() as string;
    const next: string[] = name === '..' ? place.slice(0, -1) : [...place, name];
    const found = tree.lookUp(next);
    if (found?.kind === 'link' && (pending.length > 0 || atLink === 'follow')) {
      if (++links > MOST_LINKS) throw new HostError('read', path, 'ELOOP');
      if (found.target.startsWith('/')) place = [];
      pending.push(...splitPath(found.target).reverse());
      node = tree.lookUp(place);
    } else {
      place = next;
      node = found;
    }
  }
  return node;
}
