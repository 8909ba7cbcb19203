import { UsageError } from '../errors.ts';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Throws when this is not root: before anything is read or written. */
export function requireRoot(command: string): void {
  if (isRoot()) return;
  throw new UsageError(`\`${command}\` changes the machine, which needs root.`, { next: [`Run \`sudo ${command}\`.`] });
}
