import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { readNames, readValue } from '../../topology/kernel-file.ts';
import type { ChosenClock } from '../probe/clock.ts';
import type { Tier } from './cause.ts';
import { chooseTraceClock, type TraceClock } from './trace-clock.ts';

/** How well this host can say what takes its CPUs. */
export interface Capability {
  readonly tier: Tier;
  /** What the tier rests on. One sentence. */
  readonly why: string;
  /** Each better tier, and why it is not this one. */
  readonly missed: readonly { readonly tier: Tier; readonly reason: string }[];
  /** Where tracefs is; undefined for tiers C and D. */
  readonly tracefs: string | undefined;
  /** What events are stamped with; undefined for tiers C and D. */
  readonly clock: TraceClock | undefined;
}

/** What times the gaps, or why nobody knows. */
export type GapClock = ChosenClock | { readonly reason: string };

/** https://docs.kernel.org/trace/ftrace.html: the second one where only debugfs is mounted. */
export const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** Finds the best tier for gaps that are timed by this clock. Reads only. */
export async function findCapability(host: HostReader, gapClock: GapClock): Promise<Capability> {
  const traced = await findTracefs(host);
  if ('reason' in traced) return withoutTracefs(host, traced.reason);
  const { tracefs } = traced;
  const chosen = await findTraceClock(host, tracefs, gapClock);
  if ('reason' in chosen) return withoutTracefs(host, chosen.reason);
  const { clock } = chosen;
  const reasonB = await refuseFtrace(host, tracefs);
  if (reasonB !== undefined) return withoutTracefs(host, reasonB);
  const reasonA = await refuseOsnoise(host, tracefs);
  if (reasonA === undefined) return { tier: 'A', why: WHY_A[clock], missed: [], tracefs, clock };
  const missed = [{ tier: 'A' as const, reason: reasonA }];
  const why = `ftrace says when what had the CPU, by the same clock as the gaps (${clock}).`;
  return { tier: 'B', why, missed, tracefs, clock };
}

/** osnoise takes durations by the kernel's local clock, which counts the TSC: also where nobody else trusts that. */
const WHY_A: Readonly<Record<TraceClock, string>> = {
  'x86-tsc': 'osnoise says what each interruption took, net; when, by the same clock as the gaps (x86-tsc).',
  mono_raw:
    "osnoise says what each interruption took, net, by the kernel's local clock, which is not that of the gaps; when it ended, by the same clock (mono_raw).",
};

async function findTraceClock(host: HostReader, tracefs: string, gapClock: GapClock) {
  if ('reason' in gapClock) return gapClock;
  const offered = await readValue(host, `${tracefs}/trace_clock`);
  if (offered === undefined) return { reason: `${tracefs}/trace_clock cannot be read: tracing needs root.` };
  return chooseTraceClock(gapClock, offered);
}

async function findTracefs(host: HostReader): Promise<{ tracefs: string } | { reason: string }> {
  let denied: string | undefined;
  for (const tracefs of TRACEFS) {
    try {
      if ((await host.list(tracefs))?.includes('instances')) return { tracefs };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      denied = `${error.message}: tracing needs root`;
    }
  }
  if (denied !== undefined) return { reason: `${denied}.` };
  const lockdown = await readValue(host, '/sys/kernel/security/lockdown');
  if (lockdown?.includes('[confidentiality]')) return { reason: 'Kernel lockdown (confidentiality) closes tracefs.' };
  return {
    reason: 'tracefs is not there: `mount -t tracefs tracefs /sys/kernel/tracing`, or a kernel with CONFIG_FTRACE.',
  };
}

async function refuseFtrace(host: HostReader, tracefs: string): Promise<string | undefined> {
  const systems = await readNames(host, `${tracefs}/events`);
  const missing = ['sched', 'irq', 'irq_vectors'].filter((system) => !systems.includes(system));
  return missing.length === 0 ? undefined : `The kernel has no events ${missing.join(', ')} (CONFIG_TRACEPOINTS).`;
}

async function refuseOsnoise(host: HostReader, tracefs: string): Promise<string | undefined> {
  const tracers = (await readValue(host, `${tracefs}/available_tracers`)) ?? '';
  if (!tracers.split(/\s+/).includes('osnoise')) return 'The kernel is built without CONFIG_OSNOISE_TRACER.';
  const options = (await readValue(host, `${tracefs}/osnoise/options`)) ?? '';
  if (!/\bOSNOISE_WORKLOAD\b|NO_OSNOISE_WORKLOAD/.test(options))
    return 'The osnoise tracer of this kernel cannot do without its own loop (the option came with Linux 6.2).';
  const places = ['', ...(await readNames(host, `${tracefs}/instances`)).map((name) => `/instances/${name}`)];
  for (const place of places) {
    const current = await readValue(host, `${tracefs}${place}/current_tracer`);
    if (current === 'osnoise' || current === 'timerlat')
      return `Somebody else traces with ${current} (${tracefs}${place}), and its options are the same for all.`;
  }
  return undefined;
}

const NOT_TRACED = { tracefs: undefined, clock: undefined } as const;

async function withoutTracefs(host: HostReader, reason: string): Promise<Capability> {
  const missed = (['A', 'B'] as const).map((tier) => ({ tier, reason }));
  const header = (await readValue(host, '/proc/interrupts')) ?? '';
  if (/^CPU\d/.test(header))
    return {
      tier: 'C',
      why: 'Counters before and after say what happened, not when: candidates, no verdicts.',
      missed,
      ...NOT_TRACED,
    };
  const all = [...missed, { tier: 'C' as const, reason: '/proc/interrupts cannot be read.' }];
  return { tier: 'D', why: 'Only the times of the gaps are known.', missed: all, ...NOT_TRACED };
}
