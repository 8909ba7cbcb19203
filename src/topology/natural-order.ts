/**
 * Orders names as people do: `eth2` before `eth10`. By itself: the collation of Intl gives the same for the names that
 * kernels make, and loading it takes longer than anything else that is done with them.
 */
export function compareNaturally(left: string, right: string): number {
  const leftRuns = left.match(RUNS) ?? [];
  const rightRuns = right.match(RUNS) ?? [];
  for (let at = 0; at < leftRuns.length && at < rightRuns.length; at++) {
    const order = compareRuns(leftRuns[at] as string, rightRuns[at] as string);
    if (order !== 0) return order;
  }
  return leftRuns.length - rightRuns.length;
}

const RUNS = /\d+|\D+/g;

function compareRuns(left: string, right: string): number {
  if (left === right) return 0;
  return Number(left) - Number(right) || (left < right ? -1 : 1);
}
