import type { Agent } from '../agent/agent.ts';
import type { Scope, Wanted } from '../engine/scope.ts';
import { HftError, UsageError } from '../errors.ts';
import { probes } from '../latency/index.ts';
import { type ChosenCpus, chooseCpus, housekeepingCpus } from '../latency/probe/choose-cpus.ts';
import type { Measured } from '../latency/probe/measure.ts';
import type { Probe, Variant } from '../latency/probe/probe.ts';
import {
  type LatencyResult,
  latencyExitCode,
  type Outcome,
  type ProfileDistance,
  reportLatency,
} from '../latency/report/result.ts';
import type { Unmeasured } from '../latency/report/unmeasured.ts';
import { listTargets } from '../latency/targets/target.ts';
import { resolveCpuSet } from '../layout/cpu-set.ts';
import type { Layout } from '../layout/layout.ts';
import type { Machine } from '../topology/machine.ts';
import { parseSeconds } from './duration.ts';
import { watchCancellation } from './interruption.ts';
import { ProgressLine } from './progress.ts';
import { type Installation, openAgent } from './target.ts';
import { loadWanted } from './wanted.ts';

export interface LatencyFlags {
  readonly profile?: string | undefined;
  readonly suite: string;
  readonly probe?: string[] | undefined;
  readonly cpus?: string | undefined;
  readonly duration?: string | undefined;
}

const DURATION_S = { quick: 10, full: 60 } as const;
const WARMUP_MS = 1000;
const BLOCK_MS = 100;
/** A block is 100 ms, and intervals need a few of them. */
const SHORTEST_S = 1;
const LONGEST_S = 24 * 3600;

/** Measures this machine, whatever state it is in, and judges it by the profile that was named or is in force. */
export async function measureHost(
  installation: Installation,
  flags: LatencyFlags,
): Promise<{ readonly result: LatencyResult; readonly exitCode: number }> {
  const suite = flags.suite === 'full' ? 'full' : 'quick';
  const durationMs = readDuration(flags.duration, DURATION_S[suite]) * 1000;
  const agent = await openAgent(installation);
  const { wanted, machine, layout, distance } = await readSituation(agent, installation, flags.profile);
  const chosen = flags.cpus === undefined ? chooseCpus(machine, layout) : askedCpus(flags.cpus, machine, layout);
  const runs = listRuns({ cpus: chosen.cpus, suite, asked: flags.probe });
  const { outcomes, stopped } = await runAll(agent, runs.planned, { machine, durationMs });
  const question = {
    host: machine.host,
    profile: distance,
    targets: listTargets(wanted?.latency),
    cpus: chosen,
    suite,
    hypervisor: machine.kernel.hypervisor,
  } as const;
  const result = reportLatency(question, outcomes, [...runs.unmeasured, ...stopped]);
  return { result, exitCode: latencyExitCode(result) };
}

function readDuration(text: string | undefined, defaultS: number): number {
  if (text === undefined) return defaultS;
  const seconds = parseSeconds(text);
  if (seconds >= SHORTEST_S && seconds <= LONGEST_S) return seconds;
  throw new UsageError(`--duration: expected 1s to 24h, got ${text}`);
}

interface Situation {
  readonly wanted: Wanted | undefined;
  readonly machine: Machine;
  readonly layout: Layout | undefined;
  readonly distance: ProfileDistance | undefined;
}

/** The machine, the profile, and how far one is from the other. A profile that this host cannot have is no reason not to measure. */
async function readSituation(agent: Agent, { root }: Installation, profile: string | undefined): Promise<Situation> {
  const asked = profile === undefined ? await agent.inForce() : await loadWanted(profile, root);
  if (asked === undefined) {
    return { wanted: undefined, machine: await agent.machine(), layout: undefined, distance: undefined };
  }
  const { wanted, scope } = asked;
  try {
    return { wanted, ...(await readPlanned(agent, wanted, scope)) };
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    const distance = { name: wanted.name, differs: null, unread: null, why: error.message };
    return { wanted, machine: await agent.machine(), layout: undefined, distance };
  }
}

async function readPlanned(agent: Agent, wanted: Wanted, scope: Scope) {
  const { plan, machine } = await agent.plan(wanted, scope);
  const distance = { name: wanted.name, differs: plan.changes.length, unread: plan.unread.length, why: null };
  return { machine, layout: machine.layout, distance };
}

/** `isolated` and `housekeeping` are those of the profile, and without one those of the running kernel. */
function askedCpus(expression: string, machine: Machine, layout: Layout | undefined): ChosenCpus {
  const { isolated } = machine.kernel;
  const asIs = { housekeeping: housekeepingCpus(machine), irq: [], isolated, nic: undefined, reasons: [], refused: [] };
  const cpus = resolveCpuSet(expression, { ...machine, layout: layout ?? asIs });
  if (cpus.length > 0) return { cpus, why: `as asked, --cpus ${expression}` };
  throw new UsageError(`--cpus ${expression}: no CPU of ${machine.host} is in this set.`, {
    next: ['Give numbers (`--cpus 2,3`), or leave --cpus out: hft then says which it takes and why.'],
  });
}

interface PlannedRun {
  readonly probe: Probe;
  readonly variant: Variant;
}

function listRuns({
  cpus,
  suite,
  asked,
}: {
  cpus: readonly number[];
  suite: 'quick' | 'full';
  asked?: string[] | undefined;
}) {
  const isAsked = ({ name }: Probe) => asked === undefined || asked.includes(name);
  const planned = probes
    .filter(isAsked)
    .flatMap((probe) => probe.variants({ cpus, suite }).map((variant): PlannedRun => ({ probe, variant })));
  const unmeasured = probes
    .filter((probe) => !planned.some((run) => run.probe === probe))
    .map((probe): Unmeasured => ({ probe: probe.name, because: isAsked(probe) ? 'too few CPUs' : 'left out' }));
  return { planned, unmeasured };
}

/** One after the other: two at a time would measure each other. */
async function runAll(
  agent: Agent,
  planned: readonly PlannedRun[],
  { machine, durationMs }: { machine: Machine; durationMs: number },
) {
  const signal = watchCancellation();
  const line = new ProgressLine(process.stderr);
  const housekeeping = housekeepingCpus(machine);
  const outcomes: Outcome[] = [];
  for (const { probe, variant } of planned) {
    if (signal.aborted) break;
    const behind = outcomes.length;
    const onProgress = ({ phase, share }: { phase: string; share: number }) =>
      line.show(
        sayProgress({
          probe: probe.name,
          variant: variant.name,
          phase,
          share,
          behind,
          all: planned.length,
          durationMs,
        }),
      );
    const request = { probe: probe.name, variant, housekeeping, durationMs, warmupMs: WARMUP_MS, blockMs: BLOCK_MS };
    outcomes.push({ probe, variant, measured: await tryProbe(agent, { ...request, signal, onProgress }) });
  }
  line.clear();
  const begun = new Set(outcomes.map(({ probe }) => probe.name));
  const missed = new Set(planned.map(({ probe }) => probe.name).filter((name) => !begun.has(name)));
  return { outcomes, stopped: [...missed].map((probe): Unmeasured => ({ probe, because: 'stopped' })) };
}

/** One probe that cannot be started or breaks off does not take the others with it. */
async function tryProbe(agent: Agent, request: Parameters<Agent['probe']>[0]): Promise<Measured> {
  try {
    return await agent.probe(request);
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    return { status: 'failed', reason: error.message };
  }
}

interface Position {
  readonly probe: string;
  readonly variant: string;
  readonly phase: string;
  readonly share: number;
  readonly behind: number;
  readonly all: number;
  readonly durationMs: number;
}

function sayProgress({ probe, variant, phase, share, behind, all, durationMs }: Position): string {
  const leftS = Math.ceil(((all - behind - share) * durationMs + (all - behind) * WARMUP_MS) / 1000);
  const part = phase === 'measuring' ? `${Math.floor(share * 100)} %` : phase;
  return `${behind + 1}/${all}  ${probe}${variant === '' ? '' : ` ${variant}`}  ${part}  about ${leftS} s left`;
}
