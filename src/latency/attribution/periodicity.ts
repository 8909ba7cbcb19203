/** A time after which gaps come back. */
export interface Period {
  readonly periodNs: number;
  /** Of all distances between one gap and the next, how many are of this length, 0 to 1. */
  readonly share: number;
}

/** Distances that differ by less than this belong to one period. */
const TOLERANCE = 0.02;
/** Fewer say nothing. */
const LEAST_DISTANCES = 20;
const LEAST_SHARE = 0.3;

/** The distance that comes most often between the starts of gaps, in the order of time; undefined when there is none that stands out. */
export function findPeriod(startsNs: readonly number[] | Float64Array): Period | undefined {
  const distances = Float64Array.from({ length: Math.max(0, startsNs.length - 1) }, (_, at) => {
    return (startsNs[at + 1] as number) - (startsNs[at] as number);
  }).sort();
  if (distances.length < LEAST_DISTANCES) return undefined;
  let [first, best, bestFirst] = [0, 0, 0];
  for (let last = 0; last < distances.length; last++) {
    while ((distances[first] as number) < (distances[last] as number) * (1 - TOLERANCE)) first++;
    if (last - first + 1 > best) [best, bestFirst] = [last - first + 1, first];
  }
  const share = best / distances.length;
  if (share < LEAST_SHARE) return undefined;
  return { periodNs: distances[bestFirst + Math.floor(best / 2)] as number, share };
}

/** Frequencies of the timer tick that kernels are built with. */
const TICK_HZ = [100, 250, 300, 1000];

/** What has that period in many kernels; undefined when nothing is known to. */
export function suspectOf(periodNs: number): string | undefined {
  const tick = TICK_HZ.find((hz) => Math.abs(periodNs * hz - 1e9) < 1e9 * TOLERANCE);
  if (tick !== undefined) return `the timer tick of a kernel with CONFIG_HZ=${tick}`;
  if (Math.abs(periodNs - 1e9) < 1e9 * TOLERANCE)
    return 'what the kernel does once a second: vmstat, realtime throttling, the tick that nohz_full leaves';
  return undefined;
}
