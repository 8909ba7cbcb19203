import { HostError } from '../errors.ts';

/** One thing in a snapshot. Contents are read when asked for. */
export type TreeNode = TreeFile | TreeFolder | TreeLink;

export interface TreeFile {
  readonly kind: 'file';
  readText(): string;
}

export interface TreeFolder {
  readonly kind: 'folder';
  listNames(): readonly string[];
  /** What has this name in here, a link as such; undefined when nothing has. */
  find(name: string): TreeNode | undefined;
}

export interface TreeLink {
  readonly kind: 'link';
  readonly target: string;
}

/** As many links as the kernel follows in one path, path_resolution(7). */
const MOST_LINKS = 40;

export function splitPath(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/**
 * Finds paths as the kernel would with the snapshot as its root directory, path_resolution(7): links are followed,
 * absolute targets start at the root of the snapshot, `..` at the root stays there. A snapshot does not change, so a
 * folder is found once: thousands of paths are asked for, in a few hundred folders.
 */
export class PathResolver {
  readonly #root: TreeFolder;
  readonly #folders = new Map<string, Way | undefined>();

  constructor(root: TreeFolder) {
    this.#root = root;
    this.#folders.set('', [root]);
  }

  /** `atLink: 'stop'` leaves a link in the last place as it is. undefined when it does not exist. Throws HostError ELOOP. */
  resolve(path: string, atLink: 'follow' | 'stop'): TreeNode | undefined {
    const { folder, name } = splitLast(path);
    if (name === undefined) return this.#walk(path, atLink).node;
    const node = this.#findFolder(folder)?.at(-1)?.find(name);
    return node?.kind === 'link' && atLink === 'follow' ? this.#walk(path, atLink).node : node;
  }

  /** undefined when there is no such folder. */
  #findFolder(path: string): Way | undefined {
    if (!this.#folders.has(path)) this.#folders.set(path, this.#searchFolder(path));
    return this.#folders.get(path);
  }

  #searchFolder(path: string): Way | undefined {
    const { folder, name } = splitLast(path);
    const above = name === undefined ? undefined : this.#findFolder(folder);
    const node = name === undefined ? undefined : above?.at(-1)?.find(name);
    if (above !== undefined && node?.kind === 'folder') return [...above, node];
    if (name !== undefined && node?.kind !== 'link') return undefined;
    const { way, node: found } = this.#walk(path, 'follow');
    return found?.kind === 'folder' ? way : undefined;
  }

  #walk(path: string, atLink: 'follow' | 'stop'): { readonly way: Way; readonly node: TreeNode | undefined } {
    const pending = splitPath(path).reverse();
    let way: TreeFolder[] = [this.#root];
    let node: TreeNode | undefined = this.#root;
    let links = 0;
    while (pending.length > 0) {
      if (node?.kind !== 'folder') return { way, node: undefined };
      const name = pending.pop() as string;
      if (name === '..') {
        if (way.length > 1) way.pop();
        node = way.at(-1);
        continue;
      }
      const found: TreeNode | undefined = node.find(name);
      if (found?.kind === 'link' && (pending.length > 0 || atLink === 'follow')) {
        if (++links > MOST_LINKS) throw new HostError('read', path, 'ELOOP');
        if (found.target.startsWith('/')) way = [this.#root];
        pending.push(...splitPath(found.target).reverse());
        node = way.at(-1);
      } else {
        if (found?.kind === 'folder') way.push(found);
        node = found;
      }
    }
    return { way, node };
  }
}

/** The folders from the root to one of them, itself included. */
type Way = readonly TreeFolder[];

/** A path's folder and last name; no name where the path has to be walked: `.`, `..`, a slash at the end, not absolute. */
function splitLast(path: string): { readonly folder: string; readonly name: string | undefined } {
  const slash = path.lastIndexOf('/');
  const last = path.slice(slash + 1);
  const isPlain = slash >= 0 && last !== '' && last !== '.' && last !== '..';
  return { folder: path.slice(0, Math.max(slash, 0)), name: isPlain ? last : undefined };
}
