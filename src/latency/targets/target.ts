import type { Measure, Variant } from '../probe/probe.ts';
import type { LatencyWanted } from './schema.ts';

/** One row of a profile's `latency:`, with its name. */
export type Target = LatencyWanted[string] & { readonly name: string };

export const QUANTILES = [
  { name: 'p50', q: 0.5 },
  { name: 'p99', q: 0.99 },
  { name: 'p99.9', q: 0.999 },
  { name: 'p99.99', q: 0.9999 },
] as const;

export type QuantileName = (typeof QUANTILES)[number]['name'];

export function listTargets(wanted: LatencyWanted | undefined): readonly Target[] {
  return Object.entries(wanted ?? {}).map(([name, row]) => ({ name, ...row }));
}

/**
 * Whether the target judges this measure: everything that the row states must be so. Closed loops and cyclictest's way of
 * counting are never judged. A row that names no load is one without.
 */
export function isMeantFor(target: Target, probe: string, { measure, variant, load }: Measured): boolean {
  if (target.probe !== probe || measure.rule !== 'open' || target.load !== load) return false;
  // Who limits a round trip does not mean the parts of it; these are limited by name.
  if (measure.isSplit && target.part === undefined) return false;
  const { pacing } = measure;
  const actual: Partial<Target> = {
    part: measure.part,
    direction: measure.direction,
    payload: measure.payloadBytes,
    pacing: pacing.kind === 'saturated' ? 'saturated' : pacing.periodNs,
    wait: measure.wait,
    policy: variant.policy,
    dmaLatencyUs: variant.dmaLatencyUs,
  };
  const stated = Object.keys(actual) as (keyof Target)[];
  return stated.every((key) => target[key] === undefined || target[key] === actual[key]);
}

interface Measured {
  readonly measure: Measure;
  readonly variant: Variant;
  readonly load: Target['load'];
}
