import { HostError } from '../../errors.ts';
import type { Host } from '../../host/host.ts';
import type { Machine } from '../../topology/machine.ts';
import { readChosenClock } from '../probe/clock.ts';
import type { ClockChoice } from '../probe/clock-choice.ts';
import { readSurroundings } from './artefacts.ts';
import type { Observed } from './attribute.ts';
import { type Capability, findCapability } from './capability.ts';
import { readCounters } from './counters.ts';
import { type RecordedTrace, startTracing, type Tracing } from './recording.ts';

export interface AttributionRequest {
  /** hft-probe, which keeps the tracing instance. */
  readonly program: string;
  /** Those that are measured. */
  readonly cpus: readonly number[];
  /** What the run will be told. */
  readonly clock?: ClockChoice | undefined;
  /** Names of interrupts, and which CPUs share a core. */
  readonly machine: Pick<Machine, 'irqs' | 'topology'>;
}

/** How the causes of gaps will be found on this host, before anything is changed. */
export interface PreparedAttribution extends Capability {
  /** Begins to record, before the probe starts. Never fails for what the host cannot do: the tier falls then, and says why. */
  start(span: { readonly mostMs: number }): Promise<Watch>;
}

/** While a probe runs. Call either of these, once, whatever becomes of the probe. */
export interface Watch {
  /** Reads what was recorded and takes everything away that was set up. */
  stop(): Promise<Observed>;
  /** Takes it away. */
  discard(): Promise<void>;
}

/**
 * Finds out how well this host can name what takes its CPUs; changes nothing yet. `attribute(observed, meta, cpus)` joins what was
 * recorded with the gaps of the run.
 */
export async function prepareAttribution(host: Host, request: AttributionRequest): Promise<PreparedAttribution> {
  const gapClock = await readChosenClock(host, request.program, request.clock);
  const capability = await findCapability(host, gapClock);
  return { ...capability, start: ({ mostMs }) => watch(host, { capability, request, mostMs }) };
}

/** Only what the counters and the surroundings of a run say: nothing is recorded, nothing on the host changes. */
export async function watchSurroundings(host: Host, request: AttributionRequest): Promise<Watch> {
  const capability = { tier: 'C', why: COUNTERS, missed: [], tracefs: undefined, clock: undefined } as const;
  return watch(host, { capability, request, mostMs: 0 });
}

const COUNTERS = 'Counters before and after say what happened, not when: candidates, no verdicts.';

interface Begin {
  readonly capability: Capability;
  readonly request: AttributionRequest;
  readonly mostMs: number;
}

async function watch(host: Host, { capability, request, mostMs }: Begin): Promise<Watch> {
  const { cpus, program } = request;
  const siblings = siblingsOf(request);
  const counted = [...new Set([...cpus, ...[...siblings.values()].flat()])];
  const started = await tryTracing(host, capability, { program, cpus, mostMs });
  const look = async () => ({
    surroundings: await readSurroundings(host, cpus),
    counters: await readCounters(host, counted),
  });
  const lookOrDiscard = () =>
    look().catch(async (error: unknown) => {
      await started.tracing?.discard();
      throw error;
    });
  const before = await lookOrDiscard();
  return {
    async stop() {
      const after = await lookOrDiscard();
      const { capability: reached, trace } = await endTracing(started);
      return {
        tier: reached.tier,
        why: reached.why,
        missed: reached.missed,
        trace,
        counted: { before: before.counters, after: after.counters, irqs: request.machine.irqs },
        surroundings: { before: before.surroundings, after: after.surroundings },
        siblings,
      };
    },
    async discard() {
      await started.tracing?.discard();
    },
  };
}

interface Started {
  readonly capability: Capability;
  readonly tracing?: Tracing;
}

/** A kernel that says it can and then refuses (lockdown, a full memory) leaves the counters. */
async function tryTracing(
  host: Host,
  capability: Capability,
  request: { readonly program: string; readonly cpus: readonly number[]; readonly mostMs: number },
): Promise<Started> {
  if (capability.tracefs === undefined) return { capability };
  let reason: string;
  try {
    const tracing = await startTracing(host, capability, request);
    if (!('reason' in tracing)) return { capability, tracing };
    reason = tracing.reason;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    reason = `${error.message}.`;
  }
  return { capability: fallToCounters(capability, reason) };
}

/** Buffers that cannot be read leave the counters: the run was measured all the same. */
async function endTracing({
  capability,
  tracing,
}: Started): Promise<{ capability: Capability; trace: RecordedTrace | undefined }> {
  try {
    return { capability, trace: await tracing?.stop() };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { capability: fallToCounters(capability, `${error.message}.`), trace: undefined };
  }
}

function fallToCounters({ tier, missed }: Capability, reason: string): Capability {
  return { tier: 'C', why: COUNTERS, missed: [...missed, { tier, reason }], tracefs: undefined, clock: undefined };
}

function siblingsOf({ cpus, machine }: AttributionRequest): ReadonlyMap<number, readonly number[]> {
  return new Map(
    cpus.map((cpu) => [cpu, machine.topology.cpus.find((each) => each.cpu === cpu)?.siblings ?? [cpu]] as const),
  );
}
