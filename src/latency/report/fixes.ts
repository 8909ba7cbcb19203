import type { CausesFound } from './disturbances.ts';

/** A setting that would remove what was found, and what that is. */
export interface NamedFix {
  readonly id: string;
  /** As they stand in the result; of candidates and artefacts too. */
  readonly causes: readonly string[];
}

/** Every setting that the result names, that of the longest total first. Pure. */
export function listFixes({ disturbances, attribution, artefacts }: CausesFound): readonly NamedFix[] {
  const found = new Map<string, Set<string>>();
  const add = (id: string | null | undefined, cause: string) => {
    if (id) found.set(id, (found.get(id) ?? new Set()).add(cause));
  };
  for (const { fix, cause } of disturbances) add(fix, cause);
  for (const { fix, cause } of attribution?.candidates ?? []) add(fix, cause);
  for (const { fix, kind } of artefacts) add(fix, kind);
  return [...found].map(([id, causes]) => ({ id, causes: [...causes] }));
}
