import { createInterface } from 'node:readline/promises';
import { UsageError } from '../errors.ts';

/** Asks on the terminal; only a clear yes is one. Without a terminal nobody can answer: says what to do instead. */
export async function askToApply(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError('Nobody can answer the question here, since standard input is no terminal.', {
      next: ['Add `--yes` to apply without being asked, or `--dry-run` to see the plan only.'],
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
