import { z } from 'zod';
import { count, durationS } from '../profile/values.ts';

const DOMAIN_OR_SETTING = /^(?<domain>[a-z]+)(?:[.][^\s]+)?$/;

/** The value of a profile's `drift:` key. `domains`: those that a profile can speak of. */
export function driftSchema(domains: readonly string[]) {
  const expected = `expected a domain (${domains.join(', ')}), or a setting such as irq.affinity@eth0/rx-3`;
  const healed = z
    .string()
    .refine((entry) => domains.includes(DOMAIN_OR_SETTING.exec(entry)?.groups?.domain ?? ''), expected);
  return z
    .strictObject({
      heal: z
        .array(healed)
        .default([])
        .describe('What the agent sets again when it drifted: domains, kinds of setting (irq.affinity), or settings'),
      breaker: z
        .strictObject({
          heals: count({ min: 1, max: 1_000 }).default(3).describe('So many of one setting …'),
          within: durationS().default(3_600).describe('… in this time are the last: somebody keeps undoing it'),
        })
        .prefault({})
        .describe('When the agent stops to heal a setting; the next hft tune begins anew'),
    })
    .describe('What the agent of the host may do about settings that drifted; it tells them in any case');
}

export type DriftWanted = z.output<ReturnType<typeof driftSchema>>;

/** Whether a setting is one of those: `irq`, `irq.affinity` and `irq.affinity@eth0/rx-3` all mean the last one. */
export function mayHeal(id: string, { heal }: Pick<DriftWanted, 'heal'>): boolean {
  return heal.some((entry) => id === entry || id.startsWith(`${entry}.`) || id.startsWith(`${entry}@`));
}
