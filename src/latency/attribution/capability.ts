import { HostError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { readNames, readValue } from '../../topology/kernel-file.ts';
import type { Tier } from './cause.ts';

/** How well this host can say what takes its CPUs. */
export interface Capability {
  readonly tier: Tier;
  /** What the tier rests on. One sentence. */
  readonly why: string;
  /** Each better tier, and why it is not this one. */
  readonly missed: readonly { readonly tier: Tier; readonly reason: string }[];
  /** Where tracefs is; undefined for tiers C and D. */
  readonly tracefs: string | undefined;
}

/** https://docs.kernel.org/trace/ftrace.html: the second one where only debugfs is mounted. */
export const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** Finds the best tier. Reads only. */
export async function findCapability(host: HostReader): Promise<Capability> {
  const traced = await findTracefs(host);
  if ('reason' in traced) return withoutTracefs(host, traced.reason);
  const { tracefs } = traced;
  const reasonB = await refuseFtrace(host, tracefs);
  if (reasonB !== undefined) return withoutTracefs(host, reasonB);
  const reasonA = await refuseOsnoise(host, tracefs);
  if (reasonA === undefined)
    return { tier: 'A', why: 'osnoise says what each interruption took, net.', missed: [], tracefs };
  const missed = [{ tier: 'A' as const, reason: reasonA }];
  return { tier: 'B', why: 'ftrace says when what had the CPU, by the same clock as the gaps.', missed, tracefs };
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
  const clocks = await readValue(host, `${tracefs}/trace_clock`);
  if (clocks === undefined) return `${tracefs}/trace_clock cannot be read: tracing needs root.`;
  if (!/(?:^|[\s[])x86-tsc(?:[\s\]]|$)/.test(clocks))
    return `The kernel cannot trace by the clock of the gaps (x86-tsc); it has ${clocks}.`;
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

async function withoutTracefs(host: HostReader, reason: string): Promise<Capability> {
  const missed = (['A', 'B'] as const).map((tier) => ({ tier, reason }));
  const header = (await readValue(host, '/proc/interrupts')) ?? '';
  if (/^CPU\d/.test(header))
    return {
      tier: 'C',
      why: 'Counters before and after say what happened, not when: candidates, no verdicts.',
      missed,
      tracefs: undefined,
    };
  const all = [...missed, { tier: 'C' as const, reason: '/proc/interrupts cannot be read.' }];
  return { tier: 'D', why: 'Only the times of the gaps are known.', missed: all, tracefs: undefined };
}
