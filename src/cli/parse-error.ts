import { UsageError } from '../errors.ts';
import { findNearest } from '../profile/nearest.ts';

/** What oclif's parser puts into the errors it throws; it exports none of their classes. */
interface ParserError extends Error {
  readonly oclif: { readonly exit?: number };
  /** Flags that do not exist. */
  readonly flags?: readonly string[];
  /** Arguments that are one too many (as text), or missing (as definitions). */
  readonly args?: readonly (string | { readonly name: string })[];
  readonly parse?: {
    readonly input?: { readonly flags?: Record<string, unknown>; readonly context?: { readonly id?: string } };
  };
}

/** A mistake in the command line, in the words of hft; undefined when the error is none. */
export function asUsageError(error: unknown, argv: readonly string[]): UsageError | undefined {
  if (!isParserError(error)) return undefined;
  const end = argv.findIndex((argument) => argument.startsWith('-'));
  const typed = end === -1 ? argv : argv.slice(0, end);
  const command = ['hft', ...(error.parse?.input?.context?.id?.split(':') ?? typed)].join(' ');
  const help = `\`${command} --help\` shows what it takes.`;
  if (error.flags !== undefined) return describeUnknownFlags(error, { command, help });
  if (error.args === undefined) return new UsageError(trimMessage(error.message), { next: [help] });
  const names = error.args.map((argument) => (typeof argument === 'string' ? argument : argument.name.toUpperCase()));
  const missing = error.args.some((argument) => typeof argument !== 'string');
  const message = missing ? `${command} needs ${names.join(' and ')}.` : `One argument too many: ${names.join(' ')}`;
  return new UsageError(message, { next: [help] });
}

function describeUnknownFlags(error: ParserError, { command, help }: { command: string; help: string }): UsageError {
  const known = Object.keys(error.parse?.input?.flags ?? {}).map((name) => `--${name}`);
  const unknown = error.flags ?? [];
  const nearest = unknown.map((flag) => findNearest(flag, known)).filter((flag) => flag !== undefined);
  const next = nearest.length > 0 ? [`Did you mean ${nearest.join(' ')}?`, help] : [help];
  return new UsageError(`${command} has no flag ${unknown.join(' ')}.`, { next });
}

/** oclif adds a line about --help and colours of its own. */
function trimMessage(message: string): string {
  return message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replaceAll(/\u001B\[\d+m/g, '')
    .trim();
}

function isParserError(error: unknown): error is ParserError {
  return error instanceof Error && 'oclif' in error && typeof error.oclif === 'object';
}
