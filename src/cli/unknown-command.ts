import type { Config } from '@oclif/core';
import { UsageError } from '../errors.ts';
import { findNearest } from '../profile/nearest.ts';

/** What to say about a command that is not there, with the nearest that is. `typed` has spaces: `profil list`. */
export function describeUnknownCommand(typed: string, config: Config): UsageError {
  const { bin, commands } = config;
  const known = commands.filter((command) => !command.hidden).map((command) => command.id.replaceAll(':', ' '));
  const topics = new Set(known.flatMap((name) => (name.includes(' ') ? [name.split(' ')[0] as string] : [])));
  const [first = '', ...rest] = typed.split(' ');
  const nearest =
    findNearest(typed, known) ?? findWithArguments(typed, known) ?? findNearest(first, [...known, ...topics]);
  const corrected = nearest !== undefined && topics.has(nearest) ? [nearest, ...rest].join(' ') : nearest;
  const meant = corrected === typed ? undefined : corrected;
  return new UsageError(`${bin} has no command \`${typed}\`.`, {
    next: [
      ...(meant === undefined ? [] : [`Did you mean \`${bin} ${meant}\`?`]),
      `\`${bin} --help\` lists the commands.`,
    ],
  });
}

/** `verify latency compar a b`: the words that name a command may be fewer than were typed. */
function findWithArguments(typed: string, known: readonly string[]): string | undefined {
  const words = typed.split(' ');
  for (let length = words.length - 1; length > 1; length--) {
    const asLong = known.filter((name) => name.split(' ').length === length);
    const nearest = findNearest(words.slice(0, length).join(' '), asLong);
    if (nearest !== undefined) return [nearest, ...words.slice(length)].join(' ');
  }
  return undefined;
}
