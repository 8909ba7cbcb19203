import { randomBytes } from 'node:crypto';

/** Sorts by time; two hosts or two runs in a second stay apart. */
export function nameRun(): string {
  const time = new Date()
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  return `${time}-${randomBytes(2).toString('hex')}`;
}
