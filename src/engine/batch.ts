import { kindOf } from '../tunables/kinds.ts';
import type { Tunable } from '../tunables/tunable.ts';

/** Joins neighbours that are written together (one `ethtool -G`, one update-grub). The order is kept. */
export function inBatches<T extends { readonly tunable: Tunable }>(items: readonly T[]): readonly (readonly T[])[] {
  const batches: T[][] = [];
  for (const item of items) {
    const last = batches.at(-1);
    if (last && sharesBatch(last[0] as T, item)) last.push(item);
    else batches.push([item]);
  }
  return batches;
}

export function sharesBatch(left: { readonly tunable: Tunable }, right: { readonly tunable: Tunable }): boolean {
  if (left.tunable.kind !== right.tunable.kind) return false;
  const kind = kindOf(left.tunable);
  return kind.batchKey !== undefined && kind.batchKey(left.tunable) === kind.batchKey(right.tunable);
}
