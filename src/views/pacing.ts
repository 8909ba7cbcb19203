import type { Pacing } from '../latency/probe/probe.ts';
import { printLimit } from './duration.ts';

/** `every 100us`, `bursts, every 10us on average`, `saturated`. */
export function sayPacing(pacing: Pacing): string {
  if (pacing.kind === 'saturated') return pacing.kind;
  const every = `every ${printLimit(pacing.periodNs)}`;
  return pacing.kind === 'pattern' ? `in bursts, ${every} on average` : every;
}
