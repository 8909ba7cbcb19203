import type { HostReader } from '../../host/host.ts';
import { readInteger, readNames, readValue } from '../../topology/kernel-file.ts';

/** What the measurement, the machine or its hypervisor does to the figures, beside what is to be measured. */
export interface Artefact {
  readonly kind:
    | 'realtime-throttling'
    | 'fair-server'
    | 'idle-states-held'
    | 'hypervisor-steal'
    | 'frequency-change'
    | 'clocksource-unstable'
    | 'trace-incomplete'
    | 'leftover';
  readonly cpu?: number;
  /** One sentence for people. */
  readonly text: string;
  /** The id of the setting that ends it. */
  readonly fix?: string;
}

/** What decides about artefacts; read before and after a run. */
export interface Surroundings {
  readonly realtime: { readonly runtimeUs: number | undefined; readonly periodUs: number | undefined };
  /** By CPU, ns of each period; since Linux 6.12, where debugfs is readable. */
  readonly fairServerNs: ReadonlyMap<number, number>;
  /** By CPU; scaling_cur_freq in kHz. */
  readonly frequencyKhz: ReadonlyMap<number, number>;
  readonly clocksource: string | undefined;
}

export const FAIR_SERVER_FIX = 'kernel.fair_server@isolated';

const FAIR_SERVER = '/sys/kernel/debug/sched/fair_server';

export async function readSurroundings(host: HostReader, cpus: readonly number[]): Promise<Surroundings> {
  const perCpu = async (pathOf: (cpu: number) => string) => {
    const values = await Promise.all(cpus.map(async (cpu) => [cpu, await readInteger(host, pathOf(cpu))] as const));
    return new Map(values.filter((entry): entry is readonly [number, number] => entry[1] !== undefined));
  };
  const hasFairServer = (await readNames(host, FAIR_SERVER)).length > 0;
  return {
    realtime: {
      runtimeUs: await readInteger(host, '/proc/sys/kernel/sched_rt_runtime_us'),
      periodUs: await readInteger(host, '/proc/sys/kernel/sched_rt_period_us'),
    },
    fairServerNs: hasFairServer ? await perCpu((cpu) => `${FAIR_SERVER}/cpu${cpu}/runtime`) : new Map(),
    frequencyKhz: await perCpu((cpu) => `/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`),
    clocksource: await readValue(host, '/sys/devices/system/clocksource/clocksource0/current_clocksource'),
  };
}

/** One CPU of a run, in ns. */
export interface MeasuredCpu {
  readonly cpu: number;
  readonly policy: 'other' | 'fifo';
  /** Of gaps, in the order of time. */
  readonly startsNs: readonly number[];
  readonly lengthsNs: readonly number[];
}

/** A thread that never sleeps loses what the period leaves to others: 50 ms of each second by default. */
export function findThrottling(measured: MeasuredCpu, { realtime, fairServerNs }: Surroundings): Artefact[] {
  if (measured.policy !== 'fifo') return [];
  const { cpu } = measured;
  const { runtimeUs, periodUs } = realtime;
  const periodNs = (periodUs ?? 1_000_000) * 1000;
  const throttledNs = runtimeUs === undefined || runtimeUs < 0 ? 0 : periodNs - runtimeUs * 1000;
  const fairNs = fairServerNs.get(cpu) ?? 0;
  const rate = (ns: number, ofNs: number) => `CPU ${cpu}: gaps of about ${ns / 1e6} ms in each ${ofNs / 1e6} ms`;
  if (fairNs > 0 && recurs(measured, fairNs, 1e9)) {
    const text = `${rate(fairNs, 1e9)} are the kernel's fair server, which stops a SCHED_FIFO measurement whatever sched_rt_runtime_us says.`;
    return [{ kind: 'fair-server', cpu, text, fix: FAIR_SERVER_FIX }];
  }
  if (throttledNs === 0 || !recurs(measured, throttledNs, periodNs)) return [];
  // Since 6.12 both do the same, and debugfs alone tells them apart.
  const other = fairServerNs.has(cpu) ? '' : ' (or, since Linux 6.12, its fair server: not readable here)';
  const text = `${rate(throttledNs, periodNs)} are the kernel's realtime throttling${other} of this very measurement, which runs under SCHED_FIFO.`;
  return [{ kind: 'realtime-throttling', cpu, text, fix: 'kernel.sysctl@kernel.sched_rt_runtime_us' }];
}

/** Half or more of the periods have a gap of about that length. The kernel counts in ticks, so it is never exact. */
function recurs({ startsNs, lengthsNs }: MeasuredCpu, lengthNs: number, periodNs: number): boolean {
  const alike = startsNs.filter((_, at) => {
    const length = lengthsNs[at] as number;
    return length > lengthNs * 0.7 && length < lengthNs * 1.4;
  });
  if (alike.length < 3) return false;
  const spanNs = (alike.at(-1) as number) - (alike[0] as number);
  return (alike.length - 1) * periodNs >= spanNs * 0.5;
}

/** A change of more than this is a change of clock, not of its reading. */
const FREQUENCY_TOLERANCE = 0.03;

export function findChanges(before: Surroundings, after: Surroundings): Artefact[] {
  const found: Artefact[] = [];
  for (const [cpu, khz] of after.frequencyKhz) {
    const from = before.frequencyKhz.get(cpu);
    if (from === undefined || Math.abs(khz - from) <= from * FREQUENCY_TOLERANCE) continue;
    const text = `CPU ${cpu} ran at ${Math.round(from / 1000)} MHz before the run and at ${Math.round(khz / 1000)} MHz after it.`;
    found.push({ kind: 'frequency-change', cpu, text, fix: `cpu.min_freq@isolated` });
  }
  if (before.clocksource !== after.clocksource) {
    const text = `The kernel changed its clock from ${before.clocksource} to ${after.clocksource} during the run: the TSC is not stable.`;
    found.push({ kind: 'clocksource-unstable', text });
  } else if (after.clocksource !== undefined && after.clocksource !== 'tsc') {
    const text = `The kernel keeps time by ${after.clocksource}: it does not trust the TSC, or a hypervisor offers its own.`;
    found.push({ kind: 'clocksource-unstable', text });
  }
  return found;
}

/** What the run itself did to the idle states. */
export function findHeldIdleStates(dmaLatencyUs: number | undefined): Artefact[] {
  if (dmaLatencyUs === undefined) return [];
  const text = `The run held /dev/cpu_dma_latency at ${dmaLatencyUs} us: idle states were off, on the whole machine, as long as it measured.`;
  return [{ kind: 'idle-states-held', text, fix: 'cpu.resume_latency@isolated' }];
}
