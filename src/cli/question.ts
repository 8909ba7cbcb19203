import { createInterface } from 'node:readline/promises';
import { UsageError } from '../errors.ts';

/**
 * Asks on the terminal; only a clear yes is one, and no answer until `end` is none. Without a terminal nobody can answer:
 * says what to do instead.
 */
export async function askToApply(
  question: string,
  end?: AbortSignal,
  terminal: { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WritableStream } = {
    input: process.stdin,
    output: process.stderr,
  },
): Promise<boolean> {
  if (!terminal.input.isTTY) {
    throw new UsageError('Nobody can answer the question here, since standard input is no terminal.', {
      next: ['Add `--yes` to apply without being asked, or `--dry-run` to see the plan only.'],
    });
  }
  const lines = createInterface(terminal);
  // A terminal that hangs up closes it, and then nobody answers.
  const hungUp = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, end ? { signal: end } : {}), hungUp]);
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (end?.aborted) return false;
    throw error;
  } finally {
    lines.close();
  }
}
