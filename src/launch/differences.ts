import type { Judged } from './judged.ts';

/** Something that is not as it was placed, for as long as it is so. */
export interface Difference {
  readonly judged: Judged;
  /** ISO 8601: the look that saw it first, and the first one that saw it no more. */
  readonly since: string;
  readonly until: string | undefined;
}

/** What is over stays for people who looked away. */
const MOST_KEPT = 8;

/** The differences with what the next look found: going on, new, or over. Newest last. Pure. */
export function foldDifferences(known: readonly Difference[], found: readonly Judged[], time: string): Difference[] {
  const failed = new Map(found.filter(({ status }) => status === 'fail').map((judged) => [judged.id, judged]));
  const held = known.map((difference): Difference => {
    if (difference.until !== undefined) return difference;
    const judged = failed.get(difference.judged.id);
    return judged === undefined ? { ...difference, until: time } : { ...difference, judged };
  });
  const open = new Set(held.filter(({ until }) => until === undefined).map(({ judged }) => judged.id));
  const fresh = [...failed.values()].filter(({ id }) => !open.has(id));
  const over = held.filter(({ until }) => until !== undefined);
  const dropped = new Set(over.slice(0, Math.max(over.length - MOST_KEPT, 0)));
  return [
    ...held.filter((difference) => !dropped.has(difference)),
    ...fresh.map((judged) => ({ judged, since: time, until: undefined })),
  ];
}
