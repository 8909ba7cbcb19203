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

/** A place in a tree: its names from the root on, none of them a link. */
interface Place {
  readonly names: readonly string[];
  readonly node: TreeNode | undefined;
}

/**
 * Finds paths as the kernel would with the snapshot as its root directory, path_resolution(7): links are followed,
 * absolute targets start at the root of the snapshot, `..` at the root stays there. A snapshot does not change, so a
 * folder is found once: thousands of paths are asked for, in a few hundred folders.
 */
export class PathResolver {
  readonly #tree: SnapshotTree;
  readonly #folders = new Map<string, Place>();

  constructor(tree: SnapshotTree) {
    this.#tree = tree;
  }

  /** `atLink: 'stop'` leaves a link in the last place as it is. undefined when it does not exist. Throws HostError ELOOP. */
  resolve(path: string, atLink: 'follow' | 'stop'): TreeNode | undefined {
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    if (slash <= 0 || name === '' || name === '.' || name === '..') return this.#walk(path, atLink).node;
    const folder = this.#findFolder(path.slice(0, slash));
    if (folder.node?.kind !== 'folder') return undefined;
    const node = this.#tree.lookUp([...folder.names, name]);
    return node?.kind === 'link' && atLink === 'follow' ? this.#walk(path, atLink).node : node;
  }

  #findFolder(path: string): Place {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const found = this.#walk(path, 'follow');
    this.#folders.set(path, found);
    return found;
  }

  #walk(path: string, atLink: 'follow' | 'stop'): Place {
    const pending = splitPath(path).reverse();
    let names: string[] = [];
    let node = this.#tree.lookUp(names);
    let links = 0;
    while (pending.length > 0) {
      if (node?.kind !== 'folder') return { names, node: undefined };
      const name = pending.pop() as string;
      const next: string[] = name === '..' ? names.slice(0, -1) : [...names, name];
      const found = this.#tree.lookUp(next);
      if (found?.kind === 'link' && (pending.length > 0 || atLink === 'follow')) {
        if (++links > MOST_LINKS) throw new HostError('read', path, 'ELOOP');
        if (found.target.startsWith('/')) names = [];
        pending.push(...splitPath(found.target).reverse());
        node = this.#tree.lookUp(names);
      } else {
        names = next;
        node = found;
      }
    }
    return { names, node };
  }
}
