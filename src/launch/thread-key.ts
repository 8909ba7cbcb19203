/**
 * How a deployment names threads: by the name that the kernel shows (comm), where `*` and `?` stand for any text and any
 * character; `#0`, `#1` … by the order in which they were started, #0 being the one that main() runs in; `*` alone: all others.
 */
export type ThreadKey =
  | { readonly kind: 'name'; readonly pattern: string }
  | { readonly kind: 'order'; readonly index: number }
  | { readonly kind: 'rest' };

/** TASK_COMM_LEN of the kernel is 16 with the final zero: longer names are cut. prctl(2), PR_SET_NAME. */
export const LONGEST_NAME = 15;

const ORDER = /^#(?<index>\d{1,4})$/;

/** Why `text` names no thread, for the message; undefined when it does. */
export function findKeyProblem(text: string): string | undefined {
  if (text === '') return 'expected the name of a thread, #0 for the first one, or "*" for all others';
  if (text.startsWith('#') && !ORDER.test(text))
    return 'expected a number after #: #0 is the first thread that was started';
  if (text.replaceAll('*', '').length > LONGEST_NAME)
    return `expected at most ${LONGEST_NAME} characters: the kernel cuts the names of threads there`;
  return undefined;
}

export function parseThreadKey(text: string): ThreadKey {
  if (text === '*') return { kind: 'rest' };
  const index = ORDER.exec(text)?.groups?.index;
  return index === undefined ? { kind: 'name', pattern: text } : { kind: 'order', index: Number(index) };
}

/** In the order in which keys count: exact names, start order, patterns, the rest. */
export function rankKey(key: ThreadKey): number {
  if (key.kind === 'rest') return 3;
  if (key.kind === 'order') return 1;
  return /[*?]/.test(key.pattern) ? 2 : 0;
}
