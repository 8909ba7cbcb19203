import { watchProcesses } from '../agent/watch-processes.ts';
import { summarize, type Verification } from '../engine/verify.ts';
import { UsageError } from '../errors.ts';
import { judgeLaunched } from '../launch/judge.ts';
import { watchCancellation } from './interruption.ts';
import { openLaunchSite } from './launch-site.ts';

/** A process that misbehaves for a moment between two looks is seen by its counters. */
const EVERY_MS = 500;

/** Whether what was launched here is as it was placed. Changes nothing. Throws UsageError when nothing was launched. */
export async function verifyProcesses(root: string, durationS: number): Promise<Verification> {
  const { host, run } = openLaunchSite(root);
  const request = { durationMs: durationS * 1000, everyMs: EVERY_MS, signal: watchCancellation() };
  const seen = await watchProcesses(host, run, request);
  if (seen === undefined)
    throw new UsageError('Nothing was launched here, so there is nothing to verify.', {
      next: ['`hft launch FILE` does.'],
    });
  const results = judgeLaunched(seen);
  return { profile: seen.order.deployment, host: seen.host, results, summary: summarize(results) };
}
