import { HostError } from '../errors.ts';

/**
 * `hft-snapshot.jsonl` at the root of a snapshot that hft made: what plain files cannot say. The first line names
 * format, version and the host; every other line is the answer to one question, where it differs from what the files
 * around it would give: a file that could not be read, names in a folder that nobody looked at, an empty folder.
 */
export const EXCEPTIONS_FILE = 'hft-snapshot.jsonl';
export const COMMANDS_FOLDER = 'commands';

export type Question = 'read' | 'list' | 'link';

/** `value` undefined: it does not exist. */
export type Answer = { readonly value: string | readonly string[] | undefined } | { readonly error: string };

export interface SnapshotException {
  readonly question: Question;
  readonly path: string;
  readonly answer: Answer;
}

export interface ExceptionList {
  readonly label: string;
  readonly exceptions: readonly SnapshotException[];
}

const FORMAT = 'hft-snapshot';
const VERSION = 1;

export function formatExceptions({ label, exceptions }: ExceptionList): string {
  const lines = exceptions.map(({ question, path, answer }) => ({ [question]: path, ...answer }));
  return [{ format: FORMAT, version: VERSION, label }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** A mistake is said with its line number. */
export function parseExceptions(text: string): ExceptionList | { readonly mistake: string } {
  const lines = text.split('\n').filter((line) => line !== '');
  const values = lines.map(parseObject);
  const [head, ...rest] = values;
  if (head?.format !== FORMAT) return { mistake: `1: expected {"format":"${FORMAT}",...}, got: ${lines[0] ?? ''}` };
  if (head.version !== VERSION) {
    return { mistake: `1: made by a newer hft (version ${String(head.version)}, this one reads ${VERSION})` };
  }
  const exceptions: SnapshotException[] = [];
  for (const [index, value] of rest.entries()) {
    const exception = value === undefined ? undefined : toException(value);
    if (exception === undefined) {
      return {
        mistake: `${index + 2}: expected {"read"|"list"|"link":PATH,"value"|"error":…}, got: ${lines[index + 1]}`,
      };
    }
    exceptions.push(exception);
  }
  return { label: String(head.label ?? ''), exceptions };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function toException(value: Record<string, unknown>): SnapshotException | undefined {
  const question = (['read', 'list', 'link'] as const).find((each) => typeof value[each] === 'string');
  if (question === undefined) return undefined;
  const path = value[question] as string;
  if (value.error !== undefined) {
    return typeof value.error === 'string' ? { question, path, answer: { error: value.error } } : undefined;
  }
  const answer = value.value;
  const isText = typeof answer === 'string' && question !== 'list';
  const isNames = question === 'list' && Array.isArray(answer) && answer.every((name) => typeof name === 'string');
  if (answer !== undefined && !isText && !isNames) return undefined;
  return { question, path, answer: { value: answer as string | readonly string[] | undefined } };
}

const OPERATIONS: Readonly<Record<Question, string>> = { read: 'read', list: 'list', link: 'read link' };

/** The recorded answer as the reader gives it: returned or thrown. */
export function giveAnswer({ question, path, answer }: SnapshotException): string | readonly string[] | undefined {
  if ('error' in answer) throw new HostError(OPERATIONS[question], path, answer.error);
  return answer.value;
}
