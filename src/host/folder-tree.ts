import fs from 'node:fs';
import path from 'node:path';
import { HostError } from '../errors.ts';
import { onPath, unlessMissing } from './errno.ts';
import type { SnapshotTree, TreeNode } from './snapshot-tree.ts';

/**
 * A snapshot as a folder on disk. A snapshot does not change, so what a name is is looked up once. Whoever calls must
 * follow links itself: a path that leads through a link of the folder is not looked up here.
 */
export function openFolderTree(root: string): SnapshotTree {
  const known = new Map<string, TreeNode | undefined>();
  return {
    lookUp(names) {
      const file = path.join(root, ...names);
      if (!known.has(file)) known.set(file, describe(file));
      return known.get(file);
    },
  };
}

function describe(file: string): TreeNode | undefined {
  const stats = unlessMissing('read', file, () => fs.lstatSync(file));
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) return { kind: 'link', target: onPath('read link', file, () => fs.readlinkSync(file)) };
  if (stats.isDirectory()) return { kind: 'folder', listNames: () => onPath('list', file, () => fs.readdirSync(file)) };
  if (stats.isFile())
    return { kind: 'file', readText: () => onPath('read', file, () => fs.readFileSync(file, 'utf8')) };
  // Opening a FIFO waits for ever and opening a device acts on this machine.
  return {
    kind: 'file',
    readText: () => {
      throw new HostError('read', file, 'EINVAL');
    },
  };
}
