import { watchProcesses } from '../agent/watch-processes.ts';
import { summarize, type Verification } from '../engine/verify.ts';
import { UsageError } from '../errors.ts';
import { judgeSeen } from '../launch/judge.ts';
import { watchCancellation } from './interruption.ts';
import { openLaunchSite } from './launch-site.ts';

/** A process that misbehaves for a moment between two looks is seen by its counters. */
const EVERY_MS = 500;

/** Whether what is watched here is as it was placed. Changes nothing. Throws UsageError when nothing is. */
export async function verifyProcesses(
  root: string,
  durationS: number,
  signal: AbortSignal = watchCancellation(),
): Promise<Verification> {
  const site = openLaunchSite(root);
  const request = { durationMs: durationS * 1000, everyMs: EVERY_MS, isThorough: true, signal };
  const seen = await watchProcesses(site, request);
  if (seen === undefined)
    throw new UsageError('Nothing was launched here, so there is nothing to verify.', {
      next: ['`hft launch FILE` does.'],
    });
  const results = judgeSeen(seen);
  return { profile: seen.deployment ?? 'what was adopted', host: seen.host, results, summary: summarize(results) };
}
