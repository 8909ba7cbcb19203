import fs from 'node:fs';

/** Device and inode of this process's standard output. */
export function identifyOwnOutput(): { readonly dev: number; readonly ino: number } {
  const { dev, ino } = fs.fstatSync(process.stdout.fd);
  return { dev, ino };
}
