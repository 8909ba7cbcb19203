import type { DriftWanted } from './schema.ts';

/**
 * Whether a setting was healed so often that it is not healed again: some time had as many heals within it as the profile allows.
 * It stays so until the profile is put in force again. `healedMs`: since then, oldest first. Pure.
 */
export function isBroken(healedMs: readonly number[], { heals, within }: DriftWanted['breaker']): boolean {
  return healedMs.some((startMs, index) => {
    const lastMs = healedMs[index + heals - 1];
    return lastMs !== undefined && lastMs - startMs <= within * 1_000;
  });
}
