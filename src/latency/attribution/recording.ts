import type { Host, HostReader } from '../../host/host.ts';
import { printCpumask } from '../../topology/cpulist.ts';
import { readNames, readValue } from '../../topology/kernel-file.ts';
import type { Capability } from './capability.ts';
import type { Tier } from './cause.ts';
import { type Keeper, keepInstance, nameInstance } from './instance.ts';
import { needsShootdownEvent, SHOOTDOWN_EVENT, shootdownGroup } from './shootdown-event.ts';
import type { TraceClock } from './trace-clock.ts';
import { type BufferStats, parseBufferStats } from './trace-text.ts';

/** What the kernel's buffers held after a run, as text: it is read when the run's clock is known. */
export interface RecordedTrace {
  readonly tier: 'A' | 'B';
  readonly clock: TraceClock;
  readonly cpus: readonly RecordedCpu[];
}

export interface RecordedCpu {
  readonly cpu: number;
  readonly text: string;
  /** The same lines printed raw, which have the nanoseconds; undefined where the text itself has ticks. */
  readonly rawText?: string;
  readonly stats: BufferStats;
}

export interface TraceRequest {
  /** hft-probe. */
  readonly program: string;
  readonly cpus: readonly number[];
  /** Of the whole run, with its warm-up. */
  readonly mostMs: number;
  /** Of each of these CPUs; some 30,000 events fit into a MiB. */
  readonly bufferKb?: number;
}

export interface Tracing {
  /** Ends the recording, reads the buffers and takes the instance away. Call either of these, once. */
  stop(): Promise<RecordedTrace>;
  discard(): Promise<void>;
}

const BUFFER_KB = 16_384;
/** Of all measured CPUs together: a buffer is memory of the kernel, and its text three times that of hft. */
const ALL_BUFFERS_KB = 65_536;
/** CPUs that are not measured: the kernel makes buffers for all. */
const SMALLEST_KB = 4;
/** What starting, reading and a slow end take, in emulation too: the kernel makes text of half a million events. */
const SLACK_MS = 300_000;

/** Systems or single events; those that a kernel does not have are left out. */
const EVENTS: Readonly<Record<'A' | 'B', readonly string[]>> = {
  A: ['osnoise'],
  B: [
    'sched/sched_switch',
    'irq/irq_handler_entry',
    'irq/irq_handler_exit',
    'irq/softirq_entry',
    'irq/softirq_exit',
    ...vectorEvents(),
    'nmi/nmi_handler',
    'workqueue/workqueue_execute_start',
    'workqueue/workqueue_execute_end',
    'ipi/ipi_entry',
    'ipi/ipi_exit',
    'exceptions/page_fault_user',
    'exceptions/page_fault_kernel',
    'tlb/tlb_flush',
    'csd/csd_function_entry',
  ],
};

/** All of irq_vectors but those of vector_alloc and its like, which say nothing of who has the CPU. */
function vectorEvents(): string[] {
  const vectors = [
    'local_timer',
    'reschedule',
    'call_function',
    'call_function_single',
    'irq_work',
    'x86_platform_ipi',
  ];
  const errors = ['thermal_apic', 'threshold_apic', 'deferred_error_apic', 'error_apic', 'spurious_apic'];
  return [...vectors, ...errors].flatMap((name) => [`irq_vectors/${name}_entry`, `irq_vectors/${name}_exit`]);
}

/** Only flushes that another CPU asked for (TLB_REMOTE_SHOOTDOWN of enum tlb_flush_reason): each switch to another process has one. */
const FILTERS: Readonly<Record<string, string>> = { 'tlb/tlb_flush': 'reason == 1' };

/** Those that decide how a line is printed; a new instance takes them from the machine's. */
const OPTIONS: Readonly<Record<string, '0' | '1'>> = {
  overwrite: '1',
  'context-info': '1',
  'irq-info': '1',
  'record-cmd': '1',
  'latency-format': '0',
  raw: '0',
  hex: '0',
  bin: '0',
  verbose: '0',
  stacktrace: '0',
  userstacktrace: '0',
  fields: '0',
};

/** Starts to record on these CPUs. Returns why it cannot. Nothing is left behind then, or when it throws. */
export async function startTracing(
  host: Host,
  capability: Capability & { readonly tier: Tier },
  request: TraceRequest,
): Promise<Tracing | { readonly reason: string }> {
  const { tier, tracefs, clock } = capability;
  if ((tier !== 'A' && tier !== 'B') || tracefs === undefined || clock === undefined) return { reason: capability.why };
  const hasWorkload = tier === 'A' && (await hasOsnoiseWorkload(host, tracefs));
  const name = await nameInstance(host, process.pid, hasWorkload);
  const addsShootdownEvent = tier === 'B' && (await needsShootdownEvent(host, tracefs));
  const deadlineMs = request.mostMs + SLACK_MS;
  const keeper = await keepInstance(host, { ...request, tracefs, name, deadlineMs, addsShootdownEvent });
  if ('reason' in keeper) return keeper;
  try {
    const events = [...EVENTS[tier], `${shootdownGroup(name)}/${SHOOTDOWN_EVENT}`];
    await setUp(host, keeper.folder, { tier, clock, events, ...request });
  } catch (error) {
    await keeper.end();
    throw error;
  }
  return tracingOf(host, keeper, { tier, clock, cpus: request.cpus });
}

async function hasOsnoiseWorkload(host: HostReader, tracefs: string): Promise<boolean> {
  const options = (await readValue(host, `${tracefs}/osnoise/options`)) ?? '';
  return options.split(/\s+/).includes('OSNOISE_WORKLOAD');
}

interface Recording extends Pick<RecordedTrace, 'tier' | 'clock'> {
  readonly cpus: readonly number[];
}

interface SetUp extends TraceRequest, Recording {
  /** As in EVENTS. */
  readonly events: readonly string[];
}

async function setUp(host: Host, folder: string, setup: SetUp): Promise<void> {
  const write = (file: string, text: string) => host.writeText(`${folder}/${file}`, text);
  await write('tracing_on', '0');
  await write('buffer_size_kb', `${SMALLEST_KB}`);
  for (const cpu of setup.cpus)
    await write(`per_cpu/cpu${cpu}/buffer_size_kb`, `${setup.bufferKb ?? bufferKbFor(setup.cpus)}`);
  await write('tracing_cpumask', printCpumask(setup.cpus));
  // After the size: a change of clock empties the buffers.
  await write('trace_clock', setup.clock);
  const options = await readNames(host, `${folder}/options`);
  for (const [option, value] of Object.entries(OPTIONS))
    if (options.includes(option)) await write(`options/${option}`, value);
  if (setup.tier === 'A') await write('current_tracer', 'osnoise');
  for (const event of setup.events) {
    if (!(await readNames(host, `${folder}/events/${event}`)).includes('enable')) continue;
    const filter = FILTERS[event];
    if (filter !== undefined) await write(`events/${event}/filter`, filter);
    await write(`events/${event}/enable`, '1');
  }
  await write('tracing_on', '1');
}

function bufferKbFor({ length }: readonly number[]): number {
  return Math.min(BUFFER_KB, Math.floor(ALL_BUFFERS_KB / Math.max(1, length)));
}

function tracingOf(host: Host, keeper: Keeper, { tier, clock, cpus }: Recording): Tracing {
  const { folder } = keeper;
  const readTrace = async (cpu: number) => (await host.readText(`${folder}/per_cpu/cpu${cpu}/trace`)) ?? '';
  return {
    async stop() {
      try {
        await host.writeText(`${folder}/tracing_on`, '0');
        const recorded = await Promise.all(
          cpus.map(async (cpu) => ({
            cpu,
            text: await readTrace(cpu),
            stats: parseBufferStats((await host.readText(`${folder}/per_cpu/cpu${cpu}/stats`)) ?? ''),
          })),
        );
        if (clock === 'x86-tsc') return { tier, clock, cpus: recorded };
        // With other clocks the kernel prints whole microseconds, but for this.
        await host.writeText(`${folder}/options/raw`, '1');
        const stamped = recorded.map(async (each) => ({ ...each, rawText: await readTrace(each.cpu) }));
        return { tier, clock, cpus: await Promise.all(stamped) };
      } finally {
        await keeper.end();
      }
    },
    discard: () => keeper.end(),
  };
}
