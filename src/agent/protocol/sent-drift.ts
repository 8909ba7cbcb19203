import { z } from 'zod';

/** What an agent says of drift, as far as hft shows it. Not of older agents. */
const text = z.string();
const textOrNull = z.string().nullable();
const number = z.number();
const between = z.object({ after: textOrNull, by: text });

const drifted = z.object({
  ...{ id: text, domain: text, wanted: textOrNull, was: textOrNull, is: textOrNull, evidence: text },
  since: between,
  suspects: z.array(z.object({ who: text, certainty: z.enum(['likely', 'possible']), evidence: text })),
  remedy: z.object({
    disruption: z.enum(['none', 'link', 'process', 'reboot']),
    takesEffect: z.enum(['now', 'reboot']),
    heal: z.enum(['allowed', 'no', 'supervised']),
  }),
  isBroken: z.boolean(),
});

export const sentWatch = z.object({
  agent: z.object({ pid: number, startTicks: text, bootId: text, pidNamespace: text }),
  profile: textOrNull,
  everyS: z.object({ quick: number, whole: number }),
  settings: z.object({ quick: number, whole: number }),
  blind: textOrNull,
  drifted: z.record(z.string(), drifted),
  ended: z.array(drifted.extend({ how: z.enum(['itself', 'healed', 'run', 'not-wanted']), ended: between })),
  looked: z.object({ quick: textOrNull, whole: textOrNull }),
});
