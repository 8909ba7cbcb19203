import fs from 'node:fs';
import path from 'node:path';
import { HostError } from '../errors.ts';
import { onPath, unlessMissing } from './errno.ts';
import type { TreeFile, TreeFolder, TreeNode } from './snapshot-tree.ts';

/**
 * A snapshot as a folder on disk. A snapshot does not change, so what a name is is looked up once. Whoever calls must
 * follow links itself: a path that leads through a link of the folder is not looked up here.
 */
export function openFolderTree(root: string): TreeFolder {
  const known = new Map<string, TreeNode | undefined>();
  return {
    kind: 'folder',
    listNames: () => onPath('list', root, () => fs.readdirSync(root)),
    find(name) {
      if (!known.has(name)) known.set(name, describe(path.join(root, name)));
      return known.get(name);
    },
  };
}

function describe(file: string): TreeNode | undefined {
  const stats = unlessMissing('read', file, () => fs.lstatSync(file));
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) return { kind: 'link', target: onPath('read link', file, () => fs.readlinkSync(file)) };
  if (stats.isDirectory()) return openFolderTree(file);
  if (stats.isFile())
    return { kind: 'file', readText: () => onPath('read', file, () => fs.readFileSync(file, 'utf8')) };
  return refuseToRead(file);
}

/** Opening a FIFO waits for ever and opening a device acts on this machine. */
function refuseToRead(file: string): TreeFile {
  return {
    kind: 'file',
    readText: () => {
      throw new HostError('read', file, 'EINVAL');
    },
  };
}
