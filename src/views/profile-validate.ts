export interface ValidProfile {
  readonly name: string;
  readonly file: string;
  readonly sources: readonly string[];
  readonly domains: readonly string[];
}

export function viewValidProfile({ file, sources, domains }: ValidProfile): string {
  return `${file} is a valid profile${sayParents(file, sources)}. It tunes: ${domains.join(', ') || 'nothing'}.`;
}

/** `, extends base` */
export function sayParents(file: string, sources: readonly string[]): string {
  const parents = sources
    .filter((source) => source !== file)
    .map((source) =>
      source
        .split('/')
        .at(-1)
        ?.replace(/\.ya?ml$/, ''),
    );
  return parents.length > 0 ? `, extends ${parents.join(', ')}` : '';
}
