import { z } from 'zod';
import { count, durationNs, size } from '../../profile/values.ts';

/** What can be named in a target; hft has a probe for some of them (src/latency/index.ts), and says so of the others. */
const PROBES = [
  'jitter',
  'wakeup',
  'core-to-core',
  'shm',
  'unix-socket',
  'pipe',
  'futex',
  'tcp',
  'udp',
  'zeromq',
  'redis',
  'memcached',
  'network',
  'pipeline',
] as const;

const pacing = z
  .union([z.literal('saturated'), durationNs()], 'expected saturated, or the time between two samples such as 100us')
  .describe('When samples start: `saturated` is one after the other; a time is the period of an open loop');

const policy = z
  .string()
  .regex(/^(other|fifo:[1-9]\d?)$/, 'expected other, or fifo:1 to fifo:99')
  .describe('The scheduling policy of the measured thread');

const target = z
  .strictObject({
    probe: z.enum(PROBES).describe('What measures it'),
    part: z
      .string()
      .optional()
      .describe(
        'Which part: a stage of the pipeline, a pattern of ZeroMQ, a command of Redis, udp or tcp of the network',
      ),
    direction: z.enum(['none', 'one-way', 'round-trip']).optional().describe('One way, or there and back'),
    payload: size().optional().describe('Bytes of a message'),
    pacing: pacing.optional(),
    load: z.enum(['none', 'housekeeping', 'network']).default('none').describe('What else the host does meanwhile'),
    wait: z.enum(['spin', 'block', 'sleep']).optional().describe('How the waiting side waits'),
    policy: policy.optional(),
    dmaLatencyUs: count().optional().describe('Held in /dev/cpu_dma_latency meanwhile'),
    p50: durationNs().optional().describe('At most this for half of the samples'),
    p99: durationNs().optional(),
    'p99.9': durationNs().optional(),
    'p99.99': durationNs().optional(),
  })
  .refine((row) => PERCENTILES.some((name) => row[name] !== undefined), 'expected a limit: p50, p99, p99.9 or p99.99')
  .refine((row) => {
    const limits = PERCENTILES.flatMap((name) => row[name] ?? []);
    return limits.every((limit, index) => index === 0 || limit >= (limits[index - 1] as number));
  }, 'expected limits that do not fall from p50 to p99.99');

const PERCENTILES = ['p50', 'p99', 'p99.9', 'p99.99'] as const;

/**
 * The value of a profile's `latency:` key, by the name of the row. What a row does not say (payload, pacing …) may be anything:
 * the row judges every measurement that fits.
 */
export const latencyWanted = z
  .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected a name of lower-case letters, digits and hyphens'), target)
  .describe('Limits that `hft verify latency` judges by; times such as 500ns or 2us, a bare number is nanoseconds');

export type LatencyWanted = z.output<typeof latencyWanted>;
