import type { Of } from '../agent/daemon/verify-services.ts';
import type { Work } from '../agent/daemon/work.ts';
import { LIMITS } from '../agent/protocol/limits.ts';
import { pack } from '../agent/protocol/packed.ts';
import type { SentLatency } from '../agent/protocol/sent-latency.ts';
import { PERSISTENCE } from '../engine/scope.ts';
import { HftError, UsageError } from '../errors.ts';
import { probes } from '../latency/index.ts';
import { logMeasurements } from '../latency/report/hdr-log.ts';
import type { BaselinePart } from '../views/report/input.ts';
import type { VerifyingSite } from './agent-verify.ts';
import { type MeasuredHost, measureOn } from './latency.ts';
import { type RecordedLatency, recordLatency } from './latency-record.ts';
import { localKeeper, measureAndKeep, type SavedFlags } from './latency-saved.ts';

type Request = Of<'verify-latency'>;
type Recorded = MeasuredHost & RecordedLatency & { readonly startEpochS: number };

/** Measures this host for a controller. Saved measurements are this host's own: what is compared was measured on the same machine. */
export async function measureForController(site: VerifyingSite, request: Request, work: Work) {
  const { agent, installation, check } = site;
  requireProbes(request.probes);
  const { profile } = request;
  const asked =
    profile === undefined ? await agent.inForce() : { wanted: await check(profile), scope: { skip: [PERSISTENCE] } };
  const servers = request.peer === undefined ? {} : { network: printPlace(request.peer) };
  let then: BaselinePart | undefined;
  const measure = async (baseline?: BaselinePart): Promise<Recorded> => {
    then = baseline;
    const startEpochS = Date.now() / 1000;
    const measured = await measureOn(agent, {
      ...{ asked, servers, durationS: request.durationS, mostS: LIMITS.measuringS, signal: work.signal },
      flags: { ...request, probe: request.probes },
      showProgress: (what, share) => work.progress({ ...share, what }),
    });
    const time = new Date(startEpochS * 1000).toISOString();
    const recorded = await recordLatency(agent, { ...measured, time, version: installation.version });
    return { ...measured, ...recorded, startEpochS };
  };
  const kept = await measureAndKeep(localKeeper(installation.version), savedFlags(request), measure);
  const { record, notKept, outcomes, startEpochS } = kept.measured;
  const { page, hdr } = request.wants;
  return packAnswer({
    result: kept.result,
    exitCode: kept.exitCode as SentLatency['exitCode'],
    warnings: notKept === undefined ? [] : [notKept],
    plots: record.plots,
    ...(page && { record: { time: record.time, version: record.version, facts: record.facts } }),
    ...(page && then && { baseline: { name: then.name, time: then.time, result: then.result, plots: then.plots } }),
    ...(hdr && { hdr: logMeasurements(outcomes, startEpochS) }),
  });
}

/** Throws UsageError: of a newer hft, or none. */
function requireProbes(named: readonly string[] | undefined): void {
  const known = probes.map(({ name }) => name);
  const unknown = named?.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`the hft there has no probe ${unknown}; it has ${known.join(', ')}.`, {
    next: ['Its release may be older than the hft that asks: compare `hft --version` and `hft agent status --host`.'],
  });
}

function printPlace({ address, port }: NonNullable<Request['peer']>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function savedFlags({ save, baseline }: Request): SavedFlags {
  return { save: save?.name, append: save?.mode === 'append', force: save?.mode === 'force', baseline };
}

/** What an answer can do without, the largest first. */
const SPARE = [
  ['hdr', 'the HDR log'],
  ['baseline', 'the curves of the saved measurement'],
  ['plots', 'the plots'],
] as const;

/** What does not fit into an answer is left out, and told. Throws HftError where the result alone does not. */
export async function packAnswer(answer: Readonly<Record<string, unknown>>): Promise<{ readonly packed: string }> {
  const parts: Record<string, unknown> = { ...answer };
  const leftOut: string[] = [];
  for (const [part, name] of [...SPARE, [undefined, '']] as const) {
    const text = JSON.stringify({ ...parts, leftOut });
    const packed = text.length > LIMITS.unpackedBytes / 2 ? undefined : await pack({ ...parts, leftOut });
    if (packed !== undefined && packed.length <= LIMITS.packedBytes) return { packed };
    if (part === undefined || parts[part] === undefined) continue;
    delete parts[part];
    leftOut.push(`${name} did not fit into the answer of an agent (${LIMITS.packedBytes / 1024 ** 2} MiB)`);
  }
  throw new HftError('The result does not fit into the answer of an agent.', {
    exitCode: 3,
    next: [
      'Measure less at a time: fewer CPUs (--cpus), fewer probes (--probe). `hft status --host` has the verdicts.',
    ],
  });
}
