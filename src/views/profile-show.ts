import { stringify } from 'yaml';
import type { Profile } from '../profile/load.ts';
import { paint, type Terminal } from './terminal.ts';

/** The merged profile as YAML; where several files took part, each value says which file and line it is from. */
export function viewProfile(profile: Profile, terminal: Terminal): string {
  const lines = viewMap(profile.written, [], { profile, terminal });
  const header = [
    `name: ${profile.name}`,
    ...(profile.description ? [`description: ${stringify(profile.description, { lineWidth: 0 }).trimEnd()}`] : []),
  ];
  return [...header, ...lines].join('\n');
}

interface Context {
  readonly profile: Profile;
  readonly terminal: Terminal;
}

function viewMap(map: Readonly<Record<string, unknown>>, path: readonly string[], context: Context): string[] {
  return Object.entries(map).flatMap(([key, value]) => {
    const below = [...path, key];
    const label = `${'  '.repeat(path.length)}${stringify(key).trimEnd()}:`;
    if (isMap(value) && Object.keys(value).length > 0) return [label, ...viewMap(value, below, context)];
    const text = stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd();
    return [addOrigin(`${label} ${text}`, below, context)];
  });
}

function addOrigin(line: string, path: readonly string[], { profile, terminal }: Context): string {
  const place = profile.positions[path.join('.')];
  if (place === undefined || profile.sources.length < 2) return line;
  const file = place.file.split('/').at(-1);
  return `${line.padEnd(44)}  ${paint(terminal, 'dim', `# ${file}:${place.line}`)}`;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
