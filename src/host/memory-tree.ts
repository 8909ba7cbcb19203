import type { SnapshotTree, TreeNode } from './snapshot-tree.ts';
import type { TarEntry } from './tar-entry.ts';
import { BadArchive } from './tar-entry.ts';

/** Where a file's bytes are. A view of them for each of the ten thousand files of a large dump would cost more than all
 *  that is read of them. */
interface Bytes {
  readonly kind: 'file';
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  readonly length: number;
}

type Leaf = Bytes | Extract<TarEntry, { kind: 'link' }>;
type Folder = Map<string, Folder | Leaf>;

/**
 * A file tree from the entries of an archive. As when an archive is unpacked, a later entry replaces an earlier one of
 * the same path.
 */
export class MemoryTree implements SnapshotTree {
  readonly #root: Folder = new Map();
  readonly #folders = new Map<string, Folder>([['', this.#root]]);
  /** The folder of the last entry: those of one folder mostly follow each other. */
  #last = { path: '', folder: this.#root };

  /** Throws BadArchive when the entry would have to go through a file or a link, as a hostile archive tries. */
  add(entry: TarEntry): void {
    if (entry.kind === 'folder') {
      this.#makeFolder(entry.path);
      return;
    }
    const slash = entry.path.lastIndexOf('/');
    const folder = this.#openFolder(entry.path, Math.max(slash, 0));
    const last = entry.path.slice(slash + 1);
    if (folder.get(last) instanceof Map)
      throw new BadArchive(`${JSON.stringify(entry.path)} in it is a folder and a file`);
    folder.set(last, this.#toLeaf(entry));
  }

  lookUp(names: readonly string[]): TreeNode | undefined {
    const found = this.#find(names);
    if (found === undefined) return undefined;
    if (found instanceof Map) return { kind: 'folder', listNames: () => [...found.keys()] };
    if (found.kind === 'link') return { kind: 'link', target: found.target };
    return { kind: 'file', readText: () => readText(found) };
  }

  /** The folder named by the first `length` characters of a path. */
  #openFolder(path: string, length: number): Folder {
    if (length !== this.#last.path.length || !path.startsWith(this.#last.path)) {
      const name = path.slice(0, length);
      this.#last = { path: name, folder: this.#makeFolder(name) };
    }
    return this.#last.folder;
  }

  #makeFolder(path: string): Folder {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const above = this.#makeFolder(slash === -1 ? '' : path.slice(0, slash));
    const name = path.slice(slash + 1);
    if (above.has(name)) throw new BadArchive(`${JSON.stringify(path)} in it is a folder and something else`);
    const made: Folder = new Map();
    above.set(name, made);
    this.#folders.set(path, made);
    return made;
  }

  #find(names: readonly string[]): Folder | Leaf | undefined {
    let place: Folder | Leaf | undefined = this.#root;
    for (const name of names) {
      if (!(place instanceof Map)) return undefined;
      place = place.get(name);
    }
    return place;
  }

  #toLeaf(entry: Exclude<TarEntry, { kind: 'folder' }>): Leaf {
    if (entry.kind === 'link') return entry;
    if (entry.kind === 'same-file') return this.#findOriginal(entry.path, entry.target);
    const { buffer, byteOffset, byteLength } = entry.content;
    return { kind: 'file', buffer, offset: byteOffset, length: byteLength };
  }

  #findOriginal(path: string, target: string): Leaf {
    const found = this.#find(target.split('/'));
    if (found === undefined || found instanceof Map) {
      throw new BadArchive(
        `${JSON.stringify(path)} in it is another name of ${JSON.stringify(target)}, which is no file`,
      );
    }
    return found;
  }
}

function readText({ buffer, offset, length }: Bytes): string {
  return Buffer.from(buffer, offset, length).toString('utf8');
}
