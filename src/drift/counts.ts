import type { DriftState } from './drift.ts';

/** Drift of a host at one moment, as numbers. */
export interface DriftCounts {
  /** Settings that drifted, by domain; only domains that have any. */
  readonly byDomain: Readonly<Record<string, number>>;
  readonly drifted: number;
  /** Healed as often as the profile allows, and drifted again. */
  readonly broken: number;
  /** Since a look at all settings that can be read without a command, and at really all of them; null: there was none. */
  readonly lookAgeS: { readonly quick: number | null; readonly whole: number | null };
}

/** What metrics say of drift. Pure. */
export function countDrift({ drifted, looked }: DriftState, nowMs: number): DriftCounts {
  const all = Object.values(drifted);
  const byDomain: Record<string, number> = {};
  for (const { domain } of all) byDomain[domain] = (byDomain[domain] ?? 0) + 1;
  const age = (time: string | null) => (time === null ? null : Math.max(0, (nowMs - Date.parse(time)) / 1_000));
  return {
    byDomain,
    drifted: all.length,
    broken: all.filter(({ isBroken }) => isBroken).length,
    lookAgeS: { quick: age(looked.quick), whole: age(looked.whole) },
  };
}
