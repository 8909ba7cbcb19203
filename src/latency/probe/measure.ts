import type { Child, Host } from '../../host/host.ts';
import { printCpulist } from '../../topology/cpulist.ts';
import { clockArguments } from './clock.ts';
import type { ClockChoice } from './clock-choice.ts';
import { FrameReader } from './frames.ts';
import type { LoadAchieved } from './load.ts';
import type { Variant } from './probe.ts';
import { type ProbeRun, RunAssembly } from './run.ts';
import { controlCpuFor, refuseToSpin } from './spin-rule.ts';

export interface Measurement {
  /** Where hft-probe is; made by the build where there is a C compiler. */
  readonly program: string;
  readonly probe: string;
  readonly variant: Variant;
  /** CPUs that may be disturbed: all that are online and not isolated. */
  readonly housekeeping: readonly number[];
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly blockMs: number;
  /** kernel: CLOCK_MONOTONIC_RAW, also where the CPU's counter could be trusted. */
  readonly clock?: ClockChoice | undefined;
  /** Ends the run; what was measured until then comes back, marked as cut. */
  readonly signal?: AbortSignal;
  /** Called while it measures. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  /** warm-up until the first frame has come. */
  readonly phase: 'warm-up' | 'measuring';
  /** Of the span to be measured, 0 to 1. */
  readonly share: number;
}

export type Measured =
  /** With what else ran meanwhile, where that was asked for. */
  | { readonly status: 'measured'; readonly run: ProbeRun; readonly load?: LoadAchieved }
  /** Not on this host as it is; `need` says what would make it possible. */
  | { readonly status: 'unsupported'; readonly reason: string; readonly need: string }
  /** Possible and wrong. */
  | { readonly status: 'refused'; readonly reason: string }
  | { readonly status: 'failed'; readonly reason: string };

/** There is no figure. */
export type Refused = Exclude<Measured, { readonly status: 'measured' }>;

/** What starting and ending take at most, on a busy machine. */
const SLACK_MS = 10_000;
/** The program ends itself with SIGKILL one second after its deadline; this is for one that cannot. */
const GRACE_AFTER_DEADLINE_MS = 3_000;
/** Between asking it to end and ending it. Longer than its blocks: it looks for the request between two of them. */
const GRACE_AFTER_ABORT_MS = 2_000;
const NS_PER_MS = 1_000_000;

const EXIT_UNSUPPORTED = 3;

/** No run takes longer, from its start on: it is killed then. */
export function mostMsOf(measurement: Measurement): number {
  return mostRunMs(measurement) + GRACE_AFTER_DEADLINE_MS;
}

/**
 * Runs one variant of a probe to its end. The program dies with this process, at its deadline, and when `signal` is aborted.
 * Throws HostError (it cannot be started), BadFrame and BadReport (another version, or a bug).
 */
export async function measure(host: Host, measurement: Measurement): Promise<Measured> {
  const refused = refuseToSpin(measurement.variant, measurement.housekeeping);
  if (refused !== undefined) return { status: 'refused', reason: refused };
  const deadlineMs = mostRunMs(measurement);
  const child = await host.startChild([measurement.program, ...probeArguments(measurement, deadlineMs)]);
  if (child === undefined) {
    return {
      status: 'unsupported',
      reason: `${measurement.program} is not there: hft was built without a C compiler.`,
      need: 'the hft package, or a build after installing gcc and libc6-dev',
    };
  }
  const release = guard(child, deadlineMs, measurement.signal);
  try {
    return await follow(child, measurement);
  } finally {
    release();
  }
}

/** When the program ends itself at the latest. */
export function mostRunMs({ warmupMs, durationMs }: Measurement): number {
  return warmupMs + durationMs + SLACK_MS;
}

/** The command line of hft-probe, without the program. */
export function probeArguments(measurement: Measurement, deadlineMs: number): string[] {
  const { probe, variant, housekeeping } = measurement;
  const controlCpu = controlCpuFor(variant, housekeeping);
  const options: Readonly<Record<string, string | number>> = {
    cpus: printInOrder(variant.cpus),
    ...(controlCpu === undefined ? {} : { 'control-cpu': controlCpu }),
    'duration-ns': measurement.durationMs * NS_PER_MS,
    'warmup-ns': measurement.warmupMs * NS_PER_MS,
    'block-ns': measurement.blockMs * NS_PER_MS,
    'deadline-ns': deadlineMs * NS_PER_MS,
    policy: variant.policy,
    parent: process.pid,
    ...(variant.dmaLatencyUs === undefined ? {} : { 'dma-latency': variant.dmaLatencyUs }),
    ...variant.options,
  };
  return [
    probe,
    ...clockArguments(measurement.clock),
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]),
  ];
}

/** A cpulist where that keeps the order, which is the direction of a pair. */
function printInOrder(cpus: readonly number[]): string {
  const ascends = cpus.every((cpu, index) => index === 0 || cpu > (cpus[index - 1] as number));
  return ascends ? printCpulist(cpus) : cpus.join(',');
}

/** Ends the child at its deadline and on abort; returns what takes the guard away, and the child with it if it still runs. */
function guard(child: Child, deadlineMs: number, signal: AbortSignal | undefined): () => void {
  const timers: NodeJS.Timeout[] = [];
  const killIn = (ms: number) => timers.push(setTimeout(() => child.signal('SIGKILL'), ms));
  const onAbort = () => {
    child.signal('SIGTERM');
    killIn(GRACE_AFTER_ABORT_MS);
  };
  killIn(deadlineMs + GRACE_AFTER_DEADLINE_MS);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    child.signal('SIGKILL');
  };
}

async function follow(child: Child, { durationMs, onProgress, program }: Measurement): Promise<Measured> {
  const reader = new FrameReader();
  const assembly = new RunAssembly();
  let firstRawNs: bigint | undefined;
  onProgress?.({ phase: 'warm-up', share: 0 });
  for await (const piece of child.output) {
    for (const frame of reader.push(piece)) {
      assembly.add(frame);
      if (frame.type !== 'block') continue;
      firstRawNs ??= frame.startRawNs;
      const doneNs = Number(frame.startRawNs - firstRawNs) + frame.block.durationNs;
      onProgress?.({ phase: 'measuring', share: Math.min(1, doneNs / (durationMs * NS_PER_MS)) });
    }
  }
  const { exitCode, stderr } = await child.ended;
  const run = assembly.finish();
  if (exitCode === 0 && run !== undefined && reader.torn === 0) return { status: 'measured', run };
  if (exitCode === EXIT_UNSUPPORTED) return readUnsupported(stderr);
  return { status: 'failed', reason: sayFailure({ exitCode, stderr, program, torn: reader.torn }) };
}

/** `{"unsupported":…,"need":…}` on its last line. */
export function readUnsupported(stderr: string): Refused {
  const line = stderr.trim().split('\n').pop() ?? '';
  try {
    const { unsupported, need } = JSON.parse(line) as { unsupported?: unknown; need?: unknown };
    return { status: 'unsupported', reason: `${unsupported}`, need: `${need}` };
  } catch {
    return { status: 'failed', reason: `hft-probe cannot measure here and does not say why: ${JSON.stringify(line)}.` };
  }
}

interface Failure {
  readonly exitCode: number;
  readonly stderr: string;
  readonly program: string;
  readonly torn: number;
}

function sayFailure({ exitCode, stderr, program, torn }: Failure): string {
  const how = exitCode > 128 ? `was ended by signal ${exitCode - 128}` : `ended with exit code ${exitCode}`;
  const said = stderr.trim();
  const rest = torn > 0 ? `, in the middle of a frame` : '';
  return `${program} ${how} before its result${rest}${said === '' ? '' : `: ${said}`}. Nothing is judged.`;
}
