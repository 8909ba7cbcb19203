import { HostError } from '../errors.ts';
import type { QueryResult } from './host.ts';

/**
 * A recorded command as a plain file that diffs well and can be written by hand:
 *
 *     $ ["ethtool","-g","eth0"]
 *     exit 0
 *     stderr "text as a JSON string"      (only when there was some)
 *                                         (one empty line)
 *     standard output, unchanged, to the end of the file
 *
 * Instead of `exit N` there is `not found`, or `error ETIMEDOUT` when the query threw a HostError.
 */
export interface RecordedCommand {
  readonly argv: readonly string[];
  readonly answer: QueryResult | HostError;
}

export function formatRecordedCommand({ argv, answer }: RecordedCommand): string {
  const head = [`$ ${JSON.stringify(argv)}`];
  if (answer instanceof HostError) head.push(`error ${answer.code}`);
  else if (!answer.found) head.push('not found');
  else {
    head.push(`exit ${answer.exitCode}`);
    if (answer.stderr !== '') head.push(`stderr ${JSON.stringify(answer.stderr)}`);
  }
  const stdout = answer instanceof HostError || !answer.found ? '' : answer.stdout;
  return `${head.join('\n')}\n\n${stdout}`;
}

/** A mistake in the text is said as a sentence without the file name. */
export function parseRecordedCommand(text: string): RecordedCommand | { readonly mistake: string } {
  const end = text.indexOf('\n\n');
  const [first = '', second = '', third] = text.slice(0, end === -1 ? undefined : end).split('\n');
  const argv = first.startsWith('$ ') ? parseJson(first.slice(2)) : undefined;
  if (!Array.isArray(argv) || argv.length === 0 || argv.some((word) => typeof word !== 'string')) {
    return { mistake: `expected \`$ ["command","argument"]\` in line 1, got: ${first}` };
  }
  const error = /^error ([A-Z0-9]+)$/.exec(second)?.[1];
  if (error !== undefined) return { argv, answer: new HostError('run', argv.join(' '), error) };
  if (second === 'not found') return { argv, answer: { found: false } };
  const exitCode = /^exit (\d+)$/.exec(second)?.[1];
  const stderr = third === undefined ? '' : third.startsWith('stderr ') ? parseJson(third.slice(7)) : undefined;
  if (exitCode === undefined) {
    return { mistake: `expected \`exit NUMBER\`, \`not found\` or \`error ERRNO\` in line 2, got: ${second}` };
  }
  if (typeof stderr !== 'string') return { mistake: `expected \`stderr "text"\` or nothing in line 3, got: ${third}` };
  const stdout = end === -1 ? '' : text.slice(end + 2);
  return { argv, answer: { found: true, exitCode: Number(exitCode), stdout, stderr } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
