export interface ValidProfile {
  readonly name: string;
  readonly file: string;
  readonly sources: readonly string[];
  readonly domains: readonly string[];
}

export function viewValidProfile({ file, sources, domains }: ValidProfile): string {
  const parents = sources
    .filter((source) => source !== file)
    .map((source) =>
      source
        .split('/')
        .at(-1)
        ?.replace(/\.ya?ml$/, ''),
    );
  const base = parents.length > 0 ? `, extends ${parents.join(', ')}` : '';
  return `${file} is a valid profile${base}. It tunes: ${domains.join(', ') || 'nothing'}.`;
}
