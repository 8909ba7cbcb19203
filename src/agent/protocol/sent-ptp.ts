import { z } from 'zod';

/** What an agent saw of its host's time, beside the verification: as far as it is shown. */
const text = z.string();
const textOrNull = text.nullable();
const number = z.number();
const numberOrNull = number.nullable();
/** Not known: not there. */
const known = number.optional();

const state = z.object({
  port: z.object({ number, state: text, timestamping: textOrNull }),
  servo: z.enum(['s2', 's0']).nullable(),
  grandmaster: z.object({
    identity: text,
    clockClass: number,
    meaning: text,
    clockAccuracy: text,
    accuracyNs: numberOrNull,
  }),
  stepsRemoved: number,
  twoStep: z.boolean(),
  pathDelayNs: number,
  offsetNs: number,
  maxOffsetNs: number,
  sync: z.object({ live: z.boolean(), ingressTimeNs: text, stillMs: numberOrNull, received: numberOrNull }),
  time: z.object({
    timescale: z.enum(['ptp', 'arbitrary']),
    utcOffsetS: number,
    utcOffsetValid: z.boolean(),
    traceable: z.boolean(),
    leap: z.union([z.literal(59), z.literal(61)]).nullable(),
  }),
  system: z
    .object({
      clock: text,
      method: textOrNull,
      offsetNs: numberOrNull,
      readDelayNs: numberOrNull,
      error: textOrNull,
    })
    .nullable(),
});

const budget = z.object({
  parts: z.array(z.object({ name: z.enum(['offset', 'system', 'reading', 'grandmaster']), what: text, ns: known })),
  hostNs: known,
  utcNs: known,
  asymmetryNs: number,
});

const limit = z.object({ name: text, source: text, limitNs: number, valueNs: known, granularityNs: known });

export const sentPtpShape = {
  looks: number,
  durationS: number,
  clocks: z.array(
    z.object({ name: text, socket: text, domain: number, state: state.nullable(), budget, limits: z.array(limit) }),
  ),
  kernel: z.object({ taiOffsetS: number, synchronised: z.boolean(), resolutionNs: number }).nullable(),
  utcOffset: z.object({ offsetS: number, source: text }).nullable(),
};
