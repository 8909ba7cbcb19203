import type { Agent, ProbeRequest } from '../agent/agent.ts';
import type { Scope, Wanted } from '../engine/scope.ts';
import { HftError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import type { Watched } from '../latency/attribution/watched.ts';
import { probes } from '../latency/index.ts';
import { housekeepingCpus, oneOfEachCore } from '../latency/probe/choose-cpus.ts';
import type { LoadRequest } from '../latency/probe/load.ts';
import { chooseLoad } from '../latency/probe/load-cpus.ts';
import type { Progress } from '../latency/probe/measure.ts';
import type { Probe, Servers, Variant, VariantRequest } from '../latency/probe/probe.ts';
import { logMeasurements } from '../latency/report/hdr-log.ts';
import {
  type LatencyResult,
  latencyExitCode,
  type Outcome,
  type ProfileDistance,
  reportLatency,
} from '../latency/report/result.ts';
import type { Unmeasured } from '../latency/report/unmeasured.ts';
import { listTargets, type Target } from '../latency/targets/target.ts';
import type { Layout } from '../layout/layout.ts';
import type { Machine } from '../topology/machine.ts';
import type { BaselinePart } from '../views/report/input.ts';
import { isAgentPeer } from './agent-peer-name.ts';
import { watchCancellation } from './interruption.ts';
import { findAgentPeer } from './latency-agent-peer.ts';
import { findFreeCpus } from './latency-cpus.ts';
import { readDuration, requireShortEnough, WARMUP_MS } from './latency-duration.ts';
import { readClock, readScheduler } from './latency-flags.ts';
import { requirePattern } from './latency-pattern.ts';
import { openPage, type RecordedLatency, recordLatency } from './latency-record.ts';
import { readServers } from './latency-servers.ts';
import { requireFreeInterface } from './latency-xdp.ts';
import { ProgressLine } from './progress.ts';
import { type Installation, openAgent } from './target.ts';
import { loadWanted } from './wanted.ts';

export interface LatencyFlags {
  readonly profile?: string | undefined;
  readonly suite: string;
  readonly probe?: string[] | undefined;
  readonly cpus?: string | undefined;
  readonly duration?: string | undefined;
  /** false: nothing is recorded beside the probes. */
  readonly causes?: boolean;
  readonly load?: string | undefined;
  /** Of those probes that have one. */
  readonly scheduler?: string | undefined;
  /** kernel: not the CPU's counter. */
  readonly clock?: string | undefined;
  /** Addresses of servers that are measured instead of one that is started for the run. */
  readonly redis?: string | undefined;
  readonly memcached?: string | undefined;
  /** Where a responder listens, or whose agent is to answer. */
  readonly peer?: string | undefined;
  /** Of that agent's host: the CPU that answers. */
  readonly 'peer-cpu'?: number | undefined;
  /** An interface for AF_XDP to that peer. */
  readonly xdp?: string | undefined;
  /** A file of arrivals for the pipeline. */
  readonly pattern?: string | undefined;
  /** A file for the HDR log of all that was measured. */
  readonly hdr?: string | undefined;
  /** A file for the page. */
  readonly report?: string | undefined;
}

export const BLOCK_MS = 100;

/**
 * Measures this machine, whatever state it is in, and judges it by the profile that was named or is in force. `baseline` is drawn
 * beside it on the page.
 */
export async function measureHost(
  installation: Installation,
  flags: LatencyFlags,
  baseline?: BaselinePart,
): Promise<MeasuredHost & RecordedLatency> {
  const time = new Date().toISOString();
  const durationS = readDuration(flags);
  const peer = isAgentPeer(flags.peer) ? await findAgentPeer(flags.peer, flags) : undefined;
  const servers = await readServers({ ...flags, peer: peer?.place ?? flags.peer });
  await requirePattern(flags);
  const agent = await openAgent(installation);
  const asked =
    flags.profile === undefined ? await agent.inForce() : await loadWanted(flags.profile, installation.root);
  const writeLog = await openLog(flags.hdr);
  const writePage = await openPage(flags.report);
  const line = new ProgressLine(process.stderr);
  try {
    const showProgress = (text: string) => line.show(text);
    const request = { asked, flags, servers, durationS, signal: watchCancellation(), showProgress };
    const measured = await measureOn(peer?.answering(agent) ?? agent, request);
    await writeLog(measured.outcomes);
    const recorded = await recordLatency(agent, { ...measured, time, version: installation.version });
    await writePage(recorded.record, baseline);
    return { ...measured, ...recorded };
  } finally {
    line.clear();
  }
}

/** An empty log is written at once: a file that cannot be written must not be found out after an hour of measuring. */
async function openLog(file: string | undefined): Promise<(outcomes: readonly Outcome[]) => Promise<void>> {
  if (file === undefined) return async () => {};
  const startEpochS = Date.now() / 1000;
  const write = (outcomes: readonly Outcome[]) =>
    new LocalHost().replaceFile(file, logMeasurements(outcomes, startEpochS));
  await write([]);
  return write;
}

/** What measuring needs of an agent. */
export type MeasuringAgent = Pick<Agent, 'plan' | 'machine' | 'pinnedTo' | 'probe'>;

export interface MeasuringRequest {
  /** undefined: nothing is judged. */
  readonly asked: { readonly wanted: Wanted; readonly scope: Scope } | undefined;
  readonly flags: Pick<
    LatencyFlags,
    'suite' | 'probe' | 'cpus' | 'load' | 'causes' | 'pattern' | 'scheduler' | 'clock' | 'xdp'
  >;
  readonly servers?: Servers;
  readonly durationS: number;
  /** All measurements together take no longer; undefined: as long as they take. */
  readonly mostS?: number;
  readonly signal: AbortSignal;
  /** `share`: how many are done, of so many. */
  readonly showProgress: (text: string, share: { readonly done: number; readonly of: number }) => void;
}

export interface MeasuredHost {
  readonly result: LatencyResult;
  readonly exitCode: number;
  readonly outcomes: readonly Outcome[];
}

/** Reads the machine, chooses CPUs, runs one measurement after the other, judges. */
export async function measureOn(agent: MeasuringAgent, request: MeasuringRequest): Promise<MeasuredHost> {
  const { asked, flags } = request;
  const suite = flags.suite === 'full' ? 'full' : 'quick';
  const { machine, layout, distance } = await readSituation(agent, asked);
  requireFreeInterface(machine, flags.xdp);
  const chosen = await findFreeCpus(agent, { machine, layout, expression: flags.cpus });
  const load =
    flags.load === 'housekeeping' || flags.load === 'network'
      ? chooseLoad(machine, flags.load, chosen.cpus)
      : undefined;
  const targets = listTargets(asked?.wanted.latency);
  const place = { cpus: chosen.cpus, coreCpus: oneOfEachCore(machine, chosen.cpus) };
  const scheduler = readScheduler(flags);
  const { pattern, xdp } = flags;
  const wanted = { ...place, suite, servers: request.servers ?? {}, pattern, scheduler, xdp } as const;
  const runs = listRuns(wanted, { named: flags.probe, targets });
  requireShortEnough(runs.planned.length, request);
  const { outcomes, stopped } = await runAll(agent, runs.planned, { machine, request, load });
  const question = {
    host: machine.host,
    profile: distance,
    targets,
    cpus: chosen,
    suite,
    hypervisor: machine.kernel.hypervisor,
  } as const;
  const result = reportLatency(question, outcomes, [...runs.unmeasured, ...stopped]);
  return { result, exitCode: latencyExitCode(result), outcomes };
}

interface Situation {
  readonly machine: Machine;
  readonly layout: Layout | undefined;
  readonly distance: ProfileDistance | undefined;
}

/** The machine, and how far it is from the profile. A profile that this host cannot have is no reason not to measure. */
async function readSituation(agent: MeasuringAgent, asked: MeasuringRequest['asked']): Promise<Situation> {
  if (asked === undefined) return { machine: await agent.machine(), layout: undefined, distance: undefined };
  const { wanted, scope } = asked;
  try {
    return await readPlanned(agent, wanted, scope);
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    const distance = { name: wanted.name, differs: null, unread: null, why: error.message };
    return { machine: await agent.machine(), layout: undefined, distance };
  }
}

async function readPlanned(agent: MeasuringAgent, wanted: Wanted, scope: Scope) {
  const { plan, machine } = await agent.plan(wanted, scope);
  const distance = { name: wanted.name, differs: plan.changes.length, unread: plan.unread.length, why: null };
  return { machine, layout: machine.layout, distance };
}

interface PlannedRun {
  readonly probe: Probe;
  readonly variant: Variant;
}

interface Asked {
  readonly named: readonly string[] | undefined;
  readonly targets: readonly Target[];
}

/** The quick suite leaves some probes out, unless somebody wants them: by name, by a limit in the profile, by naming a server or arrivals. */
function listRuns(request: Required<VariantRequest>, { named, targets }: Asked) {
  const { suite, servers, pattern } = request;
  const isAsked = ({ name }: Probe) => named === undefined || named.includes(name);
  const isWanted = ({ name }: Probe) =>
    named !== undefined ||
    servers[name] !== undefined ||
    (name === 'pipeline' && pattern !== undefined) ||
    targets.some(({ probe }) => probe === name);
  const isInSuite = (probe: Probe) => suite === 'full' || probe.onlyInFull !== true || isWanted(probe);
  const planned = probes
    .filter((probe) => isAsked(probe) && isInSuite(probe))
    .flatMap((probe) => probe.variants(request).map((variant): PlannedRun => ({ probe, variant })));
  const unmeasured = probes
    .filter((probe) => !planned.some((run) => run.probe === probe))
    .map((probe): Unmeasured => {
      if (!isAsked(probe)) return { probe: probe.name, because: 'left out' };
      const isNamed = servers[probe.name] !== undefined;
      if (probe.needsServer !== undefined && !isNamed)
        return { probe: probe.name, because: 'not named', sentence: probe.needsServer };
      if (!isInSuite(probe)) return { probe: probe.name, because: 'in the full suite' };
      return { probe: probe.name, because: 'too few CPUs', needs: probe.needs };
    });
  return { planned, unmeasured };
}

/** One after the other: two at a time would measure each other. */
async function runAll(
  agent: MeasuringAgent,
  planned: readonly PlannedRun[],
  { machine, request, load }: { machine: Machine; request: MeasuringRequest; load: LoadRequest | undefined },
) {
  const { signal, showProgress } = request;
  const housekeeping = housekeepingCpus(machine);
  const durationMs = request.durationS * 1000;
  const outcomes: Outcome[] = [];
  for (const { probe, variant } of planned) {
    if (signal.aborted) break;
    const place = { probe: probe.name, variant, behind: outcomes.length, all: planned.length, durationMs };
    let startedEpochS = (Date.now() + WARMUP_MS) / 1000;
    const onProgress = (progress: Progress) => {
      // The program has been started; what is prepared before it takes its time.
      if (progress.phase === 'warm-up') startedEpochS = (Date.now() + WARMUP_MS) / 1000;
      const share = progress.phase === 'measuring' ? progress.share : 0;
      showProgress(sayProgress(place, progress), { done: place.behind + share, of: place.all });
    };
    const timing = { durationMs, warmupMs: WARMUP_MS, blockMs: BLOCK_MS, clock: readClock(request.flags) };
    const seeksCauses = request.flags.causes !== false && probe.stolen !== undefined;
    const asked = { probe: probe.name, variant, housekeeping, ...timing, seeksCauses, signal, onProgress, load };
    const measured = await tryProbe(agent, asked);
    outcomes.push({ probe, variant, measured, seeksCauses, startedEpochS });
  }
  const begun = new Set(outcomes.map(({ probe }) => probe.name));
  const missed = new Set(planned.map(({ probe }) => probe.name).filter((name) => !begun.has(name)));
  return { outcomes, stopped: [...missed].map((probe): Unmeasured => ({ probe, because: 'stopped' })) };
}

/** One probe that cannot be started or breaks off does not take the others with it. */
async function tryProbe(agent: MeasuringAgent, request: ProbeRequest): Promise<Watched> {
  try {
    return await agent.probe(request);
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    return { status: 'failed', reason: error.message };
  }
}

interface Place {
  readonly probe: string;
  readonly variant: Variant;
  readonly behind: number;
  readonly all: number;
  readonly durationMs: number;
}

function sayProgress({ probe, variant, behind, all, durationMs }: Place, { phase, share }: Progress): string {
  const leftMs = (all - behind - share) * durationMs + (all - behind) * WARMUP_MS;
  const part = phase === 'measuring' ? `${Math.floor(share * 100)} %` : phase;
  return `${behind + 1}/${all}  ${`${probe} ${variant.name}`.trim()}  ${part}  about ${Math.ceil(leftMs / 1000)} s left`;
}
