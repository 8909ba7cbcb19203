import { UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { complainOfPattern } from '../latency/pipeline/pattern.ts';
import type { LatencyFlags } from './latency.ts';

/** A pattern that hft-probe would refuse after minutes of other measurements is told at once. Throws UsageError. */
export async function requirePattern({ pattern, probe }: Pick<LatencyFlags, 'pattern' | 'probe'>): Promise<void> {
  if (pattern === undefined) return;
  if (probe !== undefined && !probe.includes('pipeline'))
    throw new UsageError('--pattern is of the pipeline alone: add --probe pipeline, or leave it out.');
  const read = await new LocalHost().readText(pattern);
  if (read === undefined) throw new UsageError(`--pattern ${pattern}: there is no such file.`);
  const complaint = complainOfPattern(read, pattern);
  if (complaint !== undefined) throw new UsageError(complaint);
}
