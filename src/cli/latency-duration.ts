import { UsageError } from '../errors.ts';
import { parseSeconds } from './duration.ts';

const DURATION_S = { quick: 10, full: 60 } as const;
export const WARMUP_MS = 1000;
/** A block is 100 ms, and intervals need a few of them. */
const SHORTEST_S = 1;
const LONGEST_S = 24 * 3600;

interface DurationFlags {
  readonly duration?: string | undefined;
  readonly suite: string;
}

/** For somebody else: a host is not taken for a day. Throws UsageError. */
export function requireShortEnough(
  runs: number,
  { durationS, mostS = Number.POSITIVE_INFINITY }: { readonly durationS: number; readonly mostS?: number },
): void {
  const totalS = runs * (durationS + WARMUP_MS / 1000);
  if (totalS <= mostS) return;
  throw new UsageError(
    `${runs === 1 ? 'A measurement' : `${runs} measurements`} of ${durationS} s take${runs === 1 ? 's' : ''} ${Math.ceil(totalS / 60)} minutes, and an agent measures for ${mostS / 60} at most.`,
    { next: ['Give a shorter --duration, or fewer probes (--probe); or run it on the host itself.'] },
  );
}

/** Seconds. Throws UsageError. */
export function readDuration({ duration, suite }: DurationFlags): number {
  if (duration === undefined) return suite === 'full' ? DURATION_S.full : DURATION_S.quick;
  const seconds = parseSeconds('--duration', duration);
  if (seconds >= SHORTEST_S && seconds <= LONGEST_S) return seconds;
  throw new UsageError(`--duration: expected 1s to 24h, got ${duration}`);
}
