import type { ListedProfile } from '../profile/list.ts';
import { paint, type Terminal, wrap } from './terminal.ts';

/** Profiles, or `deployments`: both are YAML files with a name and a description. */
export function viewProfileList(profiles: readonly ListedProfile[], terminal: Terminal, what = 'profiles'): string {
  if (profiles.length === 0) return `There are no ${what}.`;
  const width = Math.max(...profiles.map((profile) => profile.name.length)) + 2;
  return profiles
    .map((profile) => {
      const text =
        profile.problem === undefined
          ? profile.description
          : paint(terminal, 'red', `cannot be read: ${profile.problem}`);
      const body = wrap(text, terminal.columns - width).replaceAll('\n', `\n${' '.repeat(width)}`);
      return `${paint(terminal, 'bold', profile.name)}${' '.repeat(width - profile.name.length)}${body}`.trimEnd();
    })
    .join('\n');
}
