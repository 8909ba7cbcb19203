import fs from 'node:fs';
import path from 'node:path';
import { HostError } from '../errors.ts';
import { errnoOf, onPath, toHostError } from './errno.ts';

/**
 * Files that survive a power cut: content is on disk before its name is, and the name before we return.
 * The content is synced before the rename, and file and folder after it, see fsync(2) and rename(2).
 */

const ORDINARY_MODE = 0o644;
/** As many links as the kernel follows in one path, path_resolution(7). */
const MOST_LINKS = 40;

/** Makes the names in a folder durable. */
export function syncFolder(folder: string): void {
  onPath('sync', folder, () => {
    const fd = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      fs.fsyncSync(fd);
    } catch (error) {
      // EINVAL: a file system without storage (cgroup2, sysfs) has nothing to make durable, fsync(2).
      if (errnoOf(error) !== 'EINVAL') throw error;
    } finally {
      fs.closeSync(fd);
    }
  });
}

/** Makes a folder and its missing parents (mode 0755 whatever the umask) durably. ENOTDIR when a file is in the way. */
export function makeFoldersDurably(folder: string): void {
  if (isFolder(folder)) return;
  if (path.dirname(folder) !== folder) makeFoldersDurably(path.dirname(folder));
  onPath('make', folder, () => {
    try {
      fs.mkdirSync(folder);
    } catch (error) {
      // Another process may have made it meanwhile.
      if (errnoOf(error) !== 'EEXIST' || !isFolder(folder)) throw error;
    }
    fs.chmodSync(folder, 0o755);
  });
  syncFolder(path.dirname(folder));
}

function isFolder(folder: string): boolean {
  const stats = onPath('make', folder, () => fs.statSync(folder, { throwIfNoEntry: false }));
  if (stats !== undefined && !stats.isDirectory()) throw new HostError('make', folder, 'ENOTDIR');
  return stats !== undefined;
}

/** Removes an empty folder durably; nothing happens when it is not there. EBUSY, ENOTEMPTY. */
export function removeFolderDurably(folder: string): void {
  if (removeEntry(folder, () => fs.rmdirSync(folder))) syncFolder(path.dirname(folder));
}

/** Removes a file (of a symbolic link: the link) durably; nothing happens when it is not there. */
export function removeDurably(file: string): void {
  if (removeEntry(file, () => fs.unlinkSync(file))) syncFolder(path.dirname(file));
}

function removeEntry(name: string, remove: () => void): boolean {
  try {
    remove();
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw toHostError('remove', name, error);
  }
}

/** Where a path leads when its last part is a symbolic link, so that replacing the file keeps the link. */
function followLink(file: string): string {
  let target = file;
  for (let links = 0; links < MOST_LINKS; links++) {
    let next: string;
    try {
      next = fs.readlinkSync(target);
    } catch (error) {
      const code = errnoOf(error);
      // EINVAL is readlink(2)'s word for "this is no symbolic link".
      if (code === 'EINVAL' || code === 'ENOENT') return target;
      throw new HostError('replace', file, code ?? 'EIO', { cause: error });
    }
    target = path.resolve(path.dirname(target), next);
  }
  throw new HostError('replace', file, 'ELOOP');
}

/** The whole text, or an error: after a short write the next one tells the reason (ENOSPC, EDQUOT, EFBIG). */
export function writeWhole(fd: number, content: Buffer): void {
  for (let offset = 0; offset < content.length; ) {
    const written = fs.writeSync(fd, content, offset);
    if (written === 0) throw Object.assign(new Error('write wrote nothing'), { syscall: 'write', code: 'EIO' });
    offset += written;
  }
}

interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function ownershipOf(file: string): Ownership | undefined {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw new HostError('replace', file, stats.isDirectory() ? 'EISDIR' : 'EINVAL');
  return { mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
}

function takeOwnership(fd: number, old: Ownership | undefined, mode: number | undefined): void {
  const now = fs.fstatSync(fd);
  // chown comes first because it clears the set-id bits, chown(2). What is already right is left alone: a FAT
  // boot partition refuses both calls.
  if (old !== undefined && (old.uid !== now.uid || old.gid !== now.gid)) fs.fchownSync(fd, old.uid, old.gid);
  const wanted = mode ?? old?.mode ?? ORDINARY_MODE;
  if ((now.mode & 0o7777) === wanted) return;
  try {
    fs.fchmodSync(fd, wanted);
  } catch (error) {
    // On FAT the mount decides the modes; a new file without a wish of its own takes what it gets.
    if (errnoOf(error) !== 'EPERM' || mode !== undefined || old !== undefined) throw error;
  }
}

/**
 * Replaces a file atomically and durably: temporary file in the same folder, fsync, rename, fsync of file and folder.
 * A reader sees the old text or the new, never a part. Missing parents are made. A symbolic link stays and its
 * target is replaced; owner and mode of the target are kept (`mode` overrides). Hard links and extended attributes
 * are not carried over. Throws HostError (ENOSPC, EROFS, EACCES, EISDIR, EINVAL for what is no regular file).
 */
export function replaceDurably(file: string, content: string | Buffer, mode?: number): void {
  const target = followLink(file);
  const folder = path.dirname(target);
  makeFoldersDurably(folder);
  onPath('replace', target, () => {
    const old = ownershipOf(target);
    // The leading dot and the ending keep a leftover of a killed run out of every *.cfg, *.conf and run-parts folder;
    // the fixed name lets the next run remove it.
    const temporary = path.join(folder, `.${path.basename(target)}.hft-new`);
    fs.rmSync(temporary, { force: true });
    const fd = openNew(temporary);
    try {
      takeOwnership(fd, old, mode);
      writeWhole(fd, Buffer.from(content));
      fs.fsyncSync(fd);
      fs.renameSync(temporary, target);
      // FAT writes a file's size and first cluster beside its new name when the file is synced, not the folder. A power cut
      // would leave the name with the old clusters, free by then: an EFI partition without its boot entry. fs/fat/namei_vfat.c
      fs.fsyncSync(fd);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    } finally {
      fs.closeSync(fd);
    }
  });
  syncFolder(folder);
}

function openNew(file: string): number {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
  return fs.openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}
