import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'captures');

export const CAPTURES = readdirSync(FOLDER).sort();

export function capture(name: string): string {
  return readFileSync(join(FOLDER, name), 'utf8');
}

/** What one pmc with all questions would have printed: the answers of a capture that asked one after the other. */
export function answersOf(name: string, socket: string): string {
  const parts = capture(name).split(/^### (.*)\n/m);
  const asked = parts.flatMap((command, at) => (command.includes(`-s ${socket} `) ? [parts[at + 1] ?? ''] : []));
  return asked.filter((part) => part.includes('RESPONSE MANAGEMENT ') && part.startsWith('sending: GET')).join('');
}
