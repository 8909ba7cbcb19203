import { z } from 'zod';
import { HftError } from '../../errors.ts';

/**
 * META and RESULT of hft-probe (agents/probes/run.c). Members of one probe alone are optional; what is not known here is let
 * through, so that a probe can say more without a change here.
 */
const ticks = z.string().regex(/^\d+$/).transform(BigInt);
const cpu = z.int().min(0);
const count = z.int().min(0);

/** The other CPU's clock minus this one's: between lowNs and highNs; offsetNs is right within errorNs (half a round trip). */
const skew = z.object({ offsetNs: z.number(), errorNs: z.number(), lowNs: z.number(), highNs: z.number() });

const stream = z.object({
  id: count,
  name: z.string(),
  cpu: cpu.optional(),
  peer: cpu.optional(),
  part: z.string().optional(),
  unit: z.literal('ns'),
  what: z.string(),
});

/** What a stage of the pipeline does with each message. */
const stage = z.object({ part: z.string(), cpu, payloadBytes: count, lines: count, stateBytes: count, steps: count });

/** raw: CLOCK_MONOTONIC_RAW, because of whyRaw. */
export const clockSource = z.enum(['tsc', 'cntvct', 'raw']);

const clock = z.object({
  source: clockSource,
  whyRaw: z.string().optional(),
  hz: z.number().positive(),
  /** Differences smaller than this do not exist. */
  quantumNs: z.number(),
  readNs: z.number(),
  orderedReadNs: z.number(),
  /** One sample into a histogram. */
  recordNs: z.number(),
  /** One turn of jitter's loop: gaps shorter than this cannot be seen. */
  loopNs: z.number(),
  /** This moment of the clock is that moment of CLOCK_MONOTONIC_RAW. */
  epochTicks: ticks,
  epochNs: ticks,
});

/** What an end of a network says of itself. */
const end = z.object({
  version: z.string(),
  /** The interface: eth0; ? where none has the address. */
  card: z.string(),
  /** It stamps every packet now. */
  hasHardware: z.boolean(),
  whyNoHardware: z.string(),
  /** Who disciplines its clock, or why nobody says how wrong it can be. */
  clock: z.string(),
  /** At most this far from UTC. */
  clockErrorNs: count.optional(),
});

const network = z.object({
  address: z.string(),
  peerWait: z.enum(['spin', 'block']),
  peerCpu: z.int(),
  /** Both ends are on one kernel. */
  sameClock: z.boolean(),
  /** The kernel here notes when packets go by. */
  stamps: z.boolean(),
  here: end,
  peer: end,
});

/** The peer's clock minus this one's is not outside of these, or a message would have arrived before it was sent. */
const clockBounds = z.object({ lowNs: z.number(), highNs: z.number(), trips: count });

const clocks = z.object({
  /** The estimate by which one way was counted. */
  offsetNs: z.number(),
  bounds: clockBounds.optional(),
  firstHalf: clockBounds.optional(),
  secondHalf: clockBounds.optional(),
});

/** What the peer counted, and beside it the same of this end: all messages, also those of the warm-up. */
const peerTally = z.object({
  sent: count,
  answered: count,
  received: count,
  replied: count,
  repeated: count,
  reordered: count,
  damaged: count,
  /** Came while the buffer of the socket was full. */
  overflowed: count,
  strangers: count,
});

const metaSchema = z.looseObject({
  probe: z.string(),
  version: z.string(),
  format: z.literal(1),
  streams: z.array(stream).min(1),
  clock,
  policy: z.enum(['other', 'fifo']),
  fifoPriority: count,
  dmaLatencyUs: count.optional(),
  durationNs: count,
  warmupNs: count,
  blockNs: count,
  /** The control thread had no CPU of its own: it disturbed what was measured. */
  controlShared: z.boolean(),
  memoryLocked: z.boolean(),
  whyUnlocked: z.string().optional(),
  thresholdNs: count.optional(),
  /** Less than thresholdNs where the clock takes too long to read. */
  askedThresholdNs: count.optional(),
  periodNs: count.optional(),
  direction: z.enum(['round-trip', 'one-way']).optional(),
  payloadBytes: count.optional(),
  wait: z.enum(['spin', 'block']).optional(),
  pages: z.enum(['4k', '2m']).optional(),
  rateHz: count.optional(),
  skew: skew.optional(),
  part: z.string().optional(),
  library: z.string().optional(),
  ioCpus: z.array(cpu).optional(),
  pipeline: count.optional(),
  server: z.object({ name: z.string(), address: z.string(), isOwn: z.boolean() }).optional(),
  skews: z.array(z.object({ cpu, peer: cpu, skew })).optional(),
  submit: z.enum(['memory', 'socket']).optional(),
  stagesShareCpus: z.boolean().optional(),
  pattern: z.object({ source: z.enum(['shipped', 'own']), arrivals: count }).optional(),
  stages: z.array(stage).optional(),
  network: network.optional(),
  /** Past this kernel's stack, through AF_XDP sockets of this interface, and perhaps past the peer's. */
  xdp: z.object({ interface: z.string(), atPeer: z.boolean() }).optional(),
});

const resultSchema = z.looseObject({
  calibration: z.object({ startHz: z.number(), endHz: z.number(), ppm: z.number(), errorPpm: z.number() }),
  startTicks: ticks,
  threads: z.array(
    z.object({
      cpu,
      cpuLastSeen: z.int(),
      involuntarySwitches: count,
      voluntarySwitches: count,
      minorFaults: count,
      majorFaults: count,
    }),
  ),
  cpuLastSeen: z.array(z.int()),
  involuntarySwitches: count,
  voluntarySwitches: count,
  minorFaults: count,
  majorFaults: count,
  lost: z.object({ gaps: count.optional(), gapsOverrun: count.optional() }),
  /** Ended early but in order: SIGTERM, SIGINT or deadline. */
  cut: z.string().optional(),
  backwards: count.optional(),
  overdue: count.optional(),
  sent: count.optional(),
  dropped: count.optional(),
  unsent: count.optional(),
  negative: count.optional(),
  damaged: count.optional(),
  keyLeft: z.boolean().optional(),
  misplaced: count.optional(),
  /** How many messages of a stage waited for a place in the ring behind it. */
  ringsFull: z.array(z.object({ part: z.string(), times: count })).optional(),
  reordered: count.optional(),
  repeated: count.optional(),
  late: count.optional(),
  strangers: count.optional(),
  overflowed: count.optional(),
  /** Messages that were sent with a stamp, and those of which all parts are known. */
  stamped: count.optional(),
  splitTrips: count.optional(),
  incoherent: count.optional(),
  beforeSent: count.optional(),
  clocks: clocks.optional(),
  peerTally: peerTally.optional(),
  pairs: z.array(z.object({ stream: count, cpu, peer: cpu, skew })).optional(),
});

export type ProbeMeta = z.output<typeof metaSchema>;
export type ProbeResult = z.output<typeof resultSchema>;
export type StreamMeta = z.output<typeof stream>;
export type ProbeClock = z.output<typeof clock>;
export type ClockBounds = z.output<typeof clockBounds>;
export type Skew = z.output<typeof skew>;

/** META or RESULT are not as this version of hft expects them. Exit 3. */
export class BadReport extends HftError {}

export function parseMeta(json: unknown): ProbeMeta {
  return parse('META', metaSchema, json);
}

export function parseResult(json: unknown): ProbeResult {
  return parse('RESULT', resultSchema, json);
}

function parse<T>(name: string, schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BadReport(`${name} of hft-probe: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}`, {
    exitCode: 3,
    next: ['Check that hft-probe and hft are of one version: reinstall hft, or run `npm run build`.'],
  });
}
