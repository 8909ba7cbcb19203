import { createInterface } from 'node:readline/promises';
import { UsageError } from '../errors.ts';

/**
 * Asks on the terminal; only a clear yes is one, and no answer until `end` is none. Without a terminal nobody can answer:
 * says what to do instead.
 */
export async function askToApply(question: string, end?: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError('Nobody can answer the question here, since standard input is no terminal.', {
      next: ['Add `--yes` to apply without being asked, or `--dry-run` to see the plan only.'],
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // A terminal that hangs up closes it, and then nobody answers.
    const hungUp = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
    const answer = await Promise.race([terminal.question(`${question} [y/N] `, end ? { signal: end } : {}), hungUp]);
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (end?.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
