import { z } from 'zod';

/**
 * What an agent measured, every member of it: views and pages are drawn from it here, so that a number is one and a text is shown as
 * text, whatever the agent is. Members that are more are left out.
 */
const text = z.string();
const textOrNull = text.nullable();
const number = z.number();
const numberOrNull = number.nullable();
const cpu = z.number().int().nonnegative();
const cpus = z.array(cpu).max(65_536);

const perQuantile = <Each extends z.ZodType>(each: Each) =>
  z.object({ p50: each, p99: each, 'p99.9': each, 'p99.99': each });
const percentiles = perQuantile(numberOrNull).extend({ max: numberOrNull });
const verdict = z.enum(['pass', 'fail', 'inconclusive']);

const floor = z.object({
  clock: z.enum(['tsc', 'cntvct', 'raw']),
  quantumNs: number,
  readNs: number,
  orderedReadNs: number,
  recordNs: number,
  loopNs: number,
  driftPpm: number,
  driftErrorPpm: number,
  skew: z.object({ offsetNs: number, errorNs: number, lowNs: number, highNs: number }).optional(),
});

const direction = z.enum(['none', 'one-way', 'round-trip']);
const pacing = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('saturated') }),
  z.object({ kind: z.enum(['periodic', 'pattern']), periodNs: number }),
]);
const loadKind = z.enum(['housekeeping', 'network']);
const rule = z.enum(['open', 'closed', 'service']);

const judgement = z.object({ verdict, limitNs: number, why: text, decidesAfterS: numberOrNull });
const limit = number.optional();
const difference = z.object({ value: number, lower: numberOrNull, upper: numberOrNull });

const row = z.object({
  name: text,
  synthetic: z.boolean(),
  variant: text,
  part: textOrNull,
  software: textOrNull,
  server: z.object({ address: text, isOwn: z.boolean(), pipeline: number }).nullable(),
  peer: z
    .object({
      address: text,
      wait: z.enum(['spin', 'block']),
      cpu: z.number().int(),
      version: text,
      isSameKernel: z.boolean(),
      isPastKernel: z.boolean(),
      timestamps: z.enum(['program', 'kernel', 'card']),
      clockErrorNs: number.optional(),
    })
    .nullable(),
  split: z.boolean(),
  cpus,
  direction,
  payloadBytes: numberOrNull,
  pacing,
  load: z.enum(['none', 'housekeeping', 'network']),
  loadAchieved: z
    .object({ kind: loadKind, cpus, seconds: number, nice: number, perSecond: z.record(text, number) })
    .nullable(),
  wait: z.enum(['spin', 'block', 'sleep']),
  policy: z.string().regex(/^(other|fifo:\d+)$/),
  rule,
  quantity: z.enum(['latency', 'delay']),
  samples: number,
  durationS: number,
  percentiles,
  interval: perQuantile(z.object({ lower: number, upper: numberOrNull })),
  judgements: perQuantile(judgement.nullable()),
  notAvailable: z.object({
    p50: text.optional(),
    p99: text.optional(),
    'p99.9': text.optional(),
    'p99.99': text.optional(),
  }),
  target: z.object({ name: text, p50: limit, p99: limit, 'p99.9': limit, 'p99.99': limit }).nullable(),
  verdict: verdict.nullable(),
  notJudged: textOrNull,
  unit: z.literal('ns'),
  floorNs: number,
  unseenPerSecondMax: number.nullable(),
  gaps: z.object({ perSecond: number, stolenShare: number }).nullable(),
  beside: z.object({ rule, samples: number, percentiles }).nullable(),
  baseline: z
    .object({ percentiles, difference: perQuantile(difference.nullable()) })
    .nullable()
    .optional(),
});

const kind = z.string().regex(/^[a-z0-9-]{1,40}$/);
const tier = z.enum(['A', 'B', 'C', 'D']);

const disturbance = z.object({
  cause: text,
  kind,
  cpus,
  count: number,
  totalNs: number,
  maxNs: number,
  explained: z.boolean(),
  fix: textOrNull,
  advice: textOrNull,
  pageFaults: numberOrNull,
  letRun: z.array(text),
});

const attribution = z.object({
  clock: z.enum(['x86-tsc', 'mono_raw']).nullable(),
  tier,
  why: text,
  missed: z.array(z.object({ tier, reason: text })),
  stolenNs: number,
  explainedNs: number,
  unexplained: z.object({
    outsideKernelNs: number,
    besideCausesNs: number,
    notRecordedNs: number,
    unlistedNs: number,
  }),
  candidates: z.array(
    z.object({
      cause: text,
      kind,
      cpu,
      count: number.optional(),
      totalNs: number.optional(),
      evidence: text,
      fix: text.optional(),
      advice: text.optional(),
    }),
  ),
  startRawNs: number,
});

const gap = z.object({ cpu, atS: number, durationNs: number, cause: textOrNull });
const artefact = z.object({
  kind,
  cpu: cpu.optional(),
  text,
  fix: text.optional(),
  probe: text,
  variant: text,
});
const fingerprintDifference = z.object({ what: text, before: textOrNull, after: textOrNull });

export const sentLatencyResult = z.object({
  host: text,
  profile: z.object({ name: text, differs: numberOrNull, unread: numberOrNull, why: textOrNull }).nullable(),
  suite: z.enum(['quick', 'full']),
  cpus: z.object({ cpus, why: text }),
  cut: z.boolean(),
  floor: floor.nullable(),
  probes: z.array(row),
  notMeasured: z.array(
    z.object({
      probe: text,
      variant: text,
      target: textOrNull,
      reason: text,
      need: textOrNull,
      isLeftOut: z.boolean(),
    }),
  ),
  findings: z.array(z.object({ kind, text, invalidates: z.boolean(), probe: text, variant: text })),
  disturbances: z.array(disturbance),
  explainedFraction: numberOrNull,
  attribution: attribution.nullable(),
  gaps: z.array(gap),
  artefacts: z.array(artefact),
  summary: z.object({ pass: number, fail: number, inconclusive: number, notMeasured: number, notJudged: number }),
  hypervisor: textOrNull,
  baseline: z
    .object({
      name: text,
      run: text,
      time: text,
      runs: number,
      fingerprint: z.array(fingerprintDifference),
      notCompared: z.array(z.object({ row: text, reason: text })),
      caveat: text,
    })
    .optional(),
  saved: z
    .object({
      name: text,
      folder: text,
      run: textOrNull,
      runs: numberOrNull,
      error: z.object({ message: text, next: z.array(text) }).nullable(),
    })
    .optional(),
});

const facts = z.object({
  host: text,
  product: textOrNull,
  bios: textOrNull,
  cpuModel: textOrNull,
  microcode: textOrNull,
  cpus: z.object({ online: cpus, present: number, smt: z.boolean() }),
  kernel: text,
  realtime: z.boolean(),
  architecture: text,
  cmdline: text,
  isolated: cpus,
  nohzFull: cpus,
  clocksource: textOrNull,
  hypervisor: textOrNull,
  governors: z.array(text),
  turbo: z.boolean().nullable(),
  idleStates: z.array(text),
  mitigations: z.record(text, text),
  irqs: z.array(z.object({ name: text, cpus, managed: z.boolean() })),
  nics: z.array(z.object({ name: text, driver: textOrNull, firmware: textOrNull })),
});

/** Bounded, as those of any run are: a page is drawn of them. */
const plots = z.object({
  series: z
    .array(
      z.object({
        probe: text,
        stage: text.optional(),
        variant: text,
        cpus,
        outOf: number,
        direction,
        pacing,
        quantity: z.enum(['latency', 'delay']),
        samples: number,
        floorNs: number,
        curve: z.array(z.tuple([number, number])).max(200),
        bins: z.object({ first: number, shares: z.array(number).max(200) }),
        maxima: z.object({ stepS: number, maxNs: z.array(numberOrNull).max(1_000) }),
      }),
    )
    .max(2_000),
  matrices: z
    .array(z.object({ variant: text, cpus, medianNs: z.array(z.array(numberOrNull).max(1_024)).max(1_024) }))
    .max(16),
});

/** A saved measurement, as far as a page shows it beside the new one. */
const beside = z.object({
  name: text,
  time: text,
  result: sentLatencyResult.pick({ host: true, probes: true }),
  plots: plots.pick({ series: true }).optional(),
});

export const sentLatency = z.object({
  result: sentLatencyResult,
  /** Histograms of each variant's worst measure are drawn of it in a terminal, too. */
  plots: plots.optional(),
  /** Beside both, for a page. */
  record: z.object({ time: text, version: text, facts }).optional(),
  baseline: beside.optional(),
  hdr: text.optional(),
  /** What was asked for and is not here, a sentence each. */
  leftOut: z.array(text).max(8),
  /** Of the host: for stderr. */
  warnings: z.array(text).max(32),
  exitCode: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(6)]),
});

export type SentLatency = z.infer<typeof sentLatency>;
