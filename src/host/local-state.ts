import fs from 'node:fs';
import path from 'node:path';
import { makeFoldersDurably, removeDurably, replaceDurably, syncFolder, writeWhole } from './durable-file.ts';
import { onPath, unlessMissing } from './errno.ts';
import type { Lock, StateDirectory } from './state-directory.ts';

export { LockHeld } from './lock-record.ts';

/** Folders 0755 and files 0644: `hft status` works for everybody. What is secret is written with a mode of its own. */
const FILE_MODE = 0o644;

/** The state directory on this machine's disk. Nothing is made before the first write. */
export class LocalStateDirectory implements StateDirectory {
  readonly path: string;
  /** Files whose name is known to be on disk. */
  readonly #durableNames = new Set<string>();

  constructor(folder: string) {
    this.path = path.resolve(folder);
  }

  /** Without the lock and the temporary files of replace. */
  async list(folder: string): Promise<readonly string[]> {
    const full = this.#inside(folder);
    const names = unlessMissing('list', full, () => fs.readdirSync(full)) ?? [];
    const isTemporary = (name: string) => name.startsWith('.') || (full === this.path && /^lock(\.|$)/.test(name));
    return names.filter((name) => !isTemporary(name)).sort();
  }

  async readText(name: string): Promise<string | undefined> {
    const file = this.#inside(name);
    return unlessMissing('read', file, () => fs.readFileSync(file, 'utf8'));
  }

  /** All or nothing: when it fails the file is cut back to what it held before, as far as the disk allows. */
  async append(name: string, text: string, durable: boolean, mode = FILE_MODE): Promise<void> {
    const file = this.#inside(name);
    makeFoldersDurably(path.dirname(file));
    const isNew = !fs.existsSync(file);
    onPath('append', file, () => {
      const fd = fs.openSync(file, 'a', mode);
      try {
        if (isNew) fs.fchmodSync(fd, mode);
        appendWhole(fd, Buffer.from(text), durable);
      } finally {
        fs.closeSync(fd);
      }
    });
    // Also for a file that was there: whoever made it may have died before its name was on disk.
    if (durable && !this.#durableNames.has(file)) {
      syncFolder(path.dirname(file));
      this.#durableNames.add(file);
    }
  }

  async replace(name: string, text: string, mode = FILE_MODE): Promise<void> {
    replaceDurably(this.#inside(name), text, mode);
  }

  async remove(name: string): Promise<void> {
    removeDurably(this.#inside(name));
  }

  async lock(purpose: string, folder = ''): Promise<Lock> {
    const full = this.#inside(folder);
    makeFoldersDurably(full);
    // It needs node:crypto, which takes a tenth of the start-up of commands that only look.
    const { takeLock } = await import('./state-lock.ts');
    return takeLock(full, purpose);
  }

  #inside(name: string): string {
    const file = path.join(this.path, name);
    if (file !== this.path && !file.startsWith(`${this.path}/`)) throw new Error(`${name} is outside ${this.path}`);
    return file;
  }
}

function appendWhole(fd: number, content: Buffer, durable: boolean): void {
  const before = fs.fstatSync(fd).size;
  try {
    writeWhole(fd, content);
    if (durable) fs.fsyncSync(fd);
  } catch (error) {
    cutBack(fd, before);
    throw error;
  }
}

function cutBack(fd: number, size: number): void {
  try {
    fs.ftruncateSync(fd, size);
    fs.fsyncSync(fd);
  } catch {
    // The first error is the one to report; readers of the journal know a torn last line.
  }
}
