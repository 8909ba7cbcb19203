import { z } from 'zod';
import { count, durationUs, onOff } from '../../profile/values.ts';

const FREQUENCY = /^(\d+(?:\.\d+)?)\s*([kMG]Hz)$/;
const UNIT_KHZ: Readonly<Record<string, number>> = { kHz: 1, MHz: 1e3, GHz: 1e6 };
const expectedFrequency =
  'expected max, min, a share such as 80%, or a frequency such as 3.2GHz (a bare number is kHz)';

/** A frequency: the CPU's own max or min, a share of its max, or kHz. */
const frequency = () =>
  z.union(
    [
      z.enum(['max', 'min']),
      z
        .string()
        .regex(/^(?:100|[1-9]\d?)\s*%$/, expectedFrequency)
        .transform((text) => ({ percent: Number.parseInt(text, 10) })),
      z
        .string()
        .regex(FREQUENCY, expectedFrequency)
        .transform((text) => parseKhz(text)),
      count({ min: 1 }),
      z.strictObject({ percent: count({ min: 1, max: 100 }) }),
    ],
    expectedFrequency,
  );

function parseKhz(text: string): number {
  const [, number, unit] = FREQUENCY.exec(text) as RegExpExecArray;
  return Math.round(Number(number) * (UNIT_KHZ[unit as string] as number));
}

const resumeLatency = z
  .union(
    [z.enum(['poll', 'any']), durationUs().refine((us) => us > 0, 'expected more than 0us; poll and any are words')],
    {
      error: 'expected poll, any, or a time such as 10us',
    },
  )
  .describe(
    'power/pm_qos_resume_latency_us, how long a sleeping CPU may take to wake: poll (no sleep at all), any, or at most so long',
  );

const role = z.strictObject({
  governor: z
    .string()
    .regex(/^[a-z_]+$/, 'expected the name of a governor such as performance')
    .optional()
    .describe('scaling_governor: who chooses the frequency'),
  epp: z
    .enum(['performance', 'balance_performance', 'default', 'balance_power', 'power'])
    .optional()
    .describe('energy_performance_preference: what the CPU itself prefers when it chooses'),
  energy_perf_bias: count({ max: 15 })
    .optional()
    .describe('power/energy_perf_bias of Intel CPUs: 0 performance … 15 power'),
  maxFrequency: frequency().optional().describe('scaling_max_freq'),
  minFrequency: frequency().optional().describe('scaling_min_freq: max holds the CPU at full speed'),
  resumeLatency: resumeLatency.optional(),
  idleStatesOff: z
    .array(z.string().min(1), 'expected a list of idle states such as [C6]')
    .optional()
    .describe('Idle states that the CPU must not use, by name (cpuidle/stateN/name)'),
});

/** The value of a profile's `cpu:` key. Frequencies and sleep by role, the rest for the whole machine. */
export const cpuWanted = z
  .strictObject({
    turbo: onOff().optional().describe('Frequencies above the nominal one (intel_pstate/no_turbo, cpufreq/boost)'),
    smt: onOff().optional().describe('Hardware threads of the whole machine; for isolated cores alone see layout.smt'),
    min_perf_pct: count({ max: 100 })
      .optional()
      .describe('intel_pstate/min_perf_pct: the least performance, in percent'),
    uncore: z
      .strictObject({
        minFrequency: z
          .union([z.literal('max'), count({ min: 1 })], 'expected max, or a number of kHz')
          .optional()
          .describe('min_freq_khz: max holds it at full speed'),
      })
      .optional()
      .describe('Frequency of mesh and memory controller on Intel servers (intel_uncore_frequency)'),
    isolated: role.optional().describe('CPUs that trade'),
    irq: role.optional().describe("CPUs that serve the trading NIC's interrupts"),
    housekeeping: role.optional().describe('CPUs for everything else'),
  })
  .describe('Frequency, turbo, sleep states and hardware threads of CPUs');

export type CpuWanted = z.output<typeof cpuWanted>;
export type RoleWanted = z.output<typeof role>;
export type Frequency = NonNullable<RoleWanted['maxFrequency']>;
