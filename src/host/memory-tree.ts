import type { TreeFile, TreeFolder, TreeLink, TreeNode } from './snapshot-tree.ts';
import type { TarEntry } from './tar-entry.ts';
import { BadArchive } from './tar-entry.ts';

/**
 * A file tree from the entries of an archive. As when an archive is unpacked, a later entry replaces an earlier one of
 * the same path.
 */
export class MemoryTree implements TreeFolder {
  readonly kind = 'folder';
  readonly #root = new MemoryFolder();
  readonly #folders = new Map<string, MemoryFolder>([['', this.#root]]);
  /** The folder of the last entry: those of one folder mostly follow each other. */
  #last = { path: '', folder: this.#root };

  listNames(): readonly string[] {
    return this.#root.listNames();
  }

  find(name: string): TreeNode | undefined {
    return this.#root.find(name);
  }

  /** Throws BadArchive when the entry would have to go through a file or a link, as a hostile archive tries. */
  add(entry: TarEntry): void {
    if (entry.kind === 'folder') {
      this.#makeFolder(entry.path);
      return;
    }
    const slash = entry.path.lastIndexOf('/');
    const { nodes } = this.#openFolder(entry.path, Math.max(slash, 0));
    const last = entry.path.slice(slash + 1);
    if (nodes.get(last)?.kind === 'folder')
      throw new BadArchive(`${JSON.stringify(entry.path)} in it is a folder and a file`);
    nodes.set(last, this.#toLeaf(entry));
  }

  /** The folder named by the first `length` characters of a path. */
  #openFolder(path: string, length: number): MemoryFolder {
    if (length !== this.#last.path.length || !path.startsWith(this.#last.path)) {
      const name = path.slice(0, length);
      this.#last = { path: name, folder: this.#makeFolder(name) };
    }
    return this.#last.folder;
  }

  #makeFolder(path: string): MemoryFolder {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const above = this.#makeFolder(slash === -1 ? '' : path.slice(0, slash));
    const name = path.slice(slash + 1);
    if (above.nodes.has(name)) throw new BadArchive(`${JSON.stringify(path)} in it is a folder and something else`);
    const made = new MemoryFolder();
    above.nodes.set(name, made);
    this.#folders.set(path, made);
    return made;
  }

  #toLeaf(entry: Exclude<TarEntry, { kind: 'folder' }>): TreeFile | TreeLink {
    if (entry.kind === 'link') return entry;
    if (entry.kind === 'same-file') return this.#findOriginal(entry.path, entry.target);
    return new MemoryFile(entry.content);
  }

  #findOriginal(path: string, target: string): TreeFile | TreeLink {
    const slash = target.lastIndexOf('/');
    const found = this.#folders.get(target.slice(0, Math.max(slash, 0)))?.find(target.slice(slash + 1));
    if (found === undefined || found.kind === 'folder') {
      throw new BadArchive(
        `${JSON.stringify(path)} in it is another name of ${JSON.stringify(target)}, which is no file`,
      );
    }
    return found;
  }
}

class MemoryFolder implements TreeFolder {
  readonly kind = 'folder';
  readonly nodes = new Map<string, TreeNode>();

  listNames(): readonly string[] {
    return [...this.nodes.keys()];
  }

  find(name: string): TreeNode | undefined {
    return this.nodes.get(name);
  }
}

/** Where a file's bytes are. A view of them for each of the ten thousand files of a large dump would cost more than all
 *  that is read of them. */
class MemoryFile implements TreeFile {
  readonly kind = 'file';
  private readonly buffer: ArrayBufferLike;
  private readonly offset: number;
  private readonly length: number;

  constructor({ buffer, byteOffset, byteLength }: Buffer) {
    this.buffer = buffer;
    this.offset = byteOffset;
    this.length = byteLength;
  }

  readText(): string {
    return Buffer.from(this.buffer, this.offset, this.length).toString('utf8');
  }
}
