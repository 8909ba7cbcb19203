import type { LatencyRow } from '../report/row.ts';

const CONDITIONS = ['direction', 'payloadBytes', 'pacing', 'load', 'wait', 'policy', 'rule', 'quantity'] as const;

/** The conditions in which two rows of one name were measured differently, as text; undefined when they are the same. */
export function differsIn(one: LatencyRow, other: LatencyRow): string | undefined {
  const different = CONDITIONS.filter(
    (name) => JSON.stringify(one[name] ?? null) !== JSON.stringify(other[name] ?? null),
  );
  if (different.length === 0) return undefined;
  return different.map((name) => `${name} ${say(one[name])}, now ${say(other[name])}`).join('; ');
}

function say(value: LatencyRow[(typeof CONDITIONS)[number]]): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value !== 'object') return `${value}`;
  if (value.kind === 'saturated') return 'saturated';
  return `every ${value.periodNs} ns${value.kind === 'pattern' ? ' on average' : ''}`;
}
