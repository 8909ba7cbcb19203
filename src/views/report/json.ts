import { planJson } from '../plan-json.ts';
import type { ReportInput } from './input.ts';

/** The stable JSON of `hft report`: additive changes only. What is not there is null, and `why` says why. */
export function reportJson({ host, time, version, facts, settings, latency }: ReportInput) {
  const shown = typeof settings === 'object' ? settings : undefined;
  const measured = typeof latency === 'object' ? latency : undefined;
  return {
    host,
    time,
    version,
    facts,
    plan: shown === undefined ? null : planJson(shown.plan),
    verification: shown?.verification ?? null,
    latency: measured ?? null,
    why: {
      settings: typeof settings === 'string' ? settings : null,
      latency: typeof latency === 'string' ? latency : null,
    },
  };
}
