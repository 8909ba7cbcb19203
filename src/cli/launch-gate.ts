import type { Agent } from '../agent/agent.ts';
import { collectPtp } from '../agent/watch-ptp.ts';
import type { Wanted } from '../engine/scope.ts';
import type { Verification } from '../engine/verify.ts';
import { verifyExitCode } from '../engine/verify.ts';
import { HftError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { type Partition, readBootIsolated, readPartition } from '../launch/isolated.ts';
import type { PlacedProcess } from '../launch/placement.ts';
import { nameCpus } from '../layout/names.ts';
import { DEFAULT_LAUNCH_LIMIT_NS } from '../ptp/expectation.ts';
import type { PtpLook } from '../ptp/look.ts';
import { reportPtp } from '../ptp/report.ts';
import { intersection, isSubset, printCpulist, union } from '../topology/cpulist.ts';
import type { PtpWanted } from '../tuning/ptp/schema.ts';
import { loadWanted } from './wanted.ts';

export interface GateRequest {
  readonly agent: Agent;
  readonly reader: HostReader;
  readonly root: string;
  /** Whose CPU roles were taken; undefined: those of the running kernel. */
  readonly profile: string | undefined;
  readonly processes: readonly PlacedProcess[];
  /** CPUs that are to be isolated. */
  readonly isolated: readonly number[];
}

/** Throws, before anything is started, on a host that is not as its profile wants it or does not isolate what processes get. */
export async function refuseUnfit(request: GateRequest): Promise<void> {
  const { agent, root, profile } = request;
  const { verification, ptp } = await verifyHost(agent, { root, profile });
  if (verification === undefined)
    throw new GateClosed(
      'nothing says how this host should be: no profile is in force, and the deployment names none',
      ['Name one: `profile:` in the deployment, or --profile.'],
    );
  if (verifyExitCode(verification) !== 0) throw new GateClosed(sayDifferences(verification), [nextAfter(verification)]);
  if (ptp !== undefined) await refuseWrongTime(request, ptp);
  const partition = await readPartition(request.reader);
  const open = await findOpen(request, partition);
  if (open.length === 0) return;
  const { reason, next } = explainOpen(open, partition);
  throw new GateClosed(reason, next);
}

/** Why CPUs are not isolated for those who are to have them, in words. */
export function explainOpen(
  open: readonly number[],
  partition: Partition | undefined,
): { readonly reason: string; readonly next: readonly string[] } {
  const [they, them] = open.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const tune = 'Run `hft tune` with a profile that isolates them: method: boot and a reboot, or method: partition.';
  if (partition === undefined)
    return {
      reason: `${nameCpus(open)} should be isolated, and the running kernel does not isolate ${them}`,
      next: [tune],
    };
  if (!isSubset(open, partition.cpus)) {
    const has =
      partition.state === 'isolated'
        ? `has ${printCpulist(partition.cpus) || 'no CPUs'} in effect`
        : `is ${partition.state}`;
    return {
      reason: `${nameCpus(open)} should be isolated by the cpuset partition of hft.slice, which ${has}`,
      next: ['`hft verify settings` says what stands against it.'],
    };
  }
  if (!partition.isThreaded)
    return {
      reason: `${nameCpus(open)} ${they} isolated by a cpuset partition that takes whole processes only, as an earlier hft made it`,
      next: ['`hft rollback --all` and `hft tune` make it anew.'],
    };
  return {
    reason: `${nameCpus(open)} ${they} isolated by a cpuset partition, and the processes were placed when there was none`,
    next: ['`hft stop` and `hft launch FILE` place them anew.'],
  };
}

async function verifyHost(
  agent: Agent,
  { root, profile }: Pick<GateRequest, 'root' | 'profile'>,
): Promise<{ readonly verification: Verification | undefined; readonly ptp: PtpWanted | undefined }> {
  if (profile === undefined) {
    const governing = await agent.inForce('ptp');
    return { verification: await agent.verifyInForce({}), ptp: ptpOf(governing?.wanted) };
  }
  const { wanted, scope, locate } = await loadWanted(profile, root);
  return { verification: await locate(() => agent.verify(wanted, scope)), ptp: ptpOf(wanted) };
}

function ptpOf(wanted: Wanted | undefined): PtpWanted | undefined {
  return wanted?.domains.ptp as PtpWanted | undefined;
}

/** The CPUs that should be isolated for those who are to have them, and are not. */
export async function findOpen(
  { reader, processes, isolated }: Pick<GateRequest, 'reader' | 'processes' | 'isolated'>,
  partition: Partition | undefined,
): Promise<number[]> {
  const atBoot = await readBootIsolated(reader);
  const usable = partition?.isThreaded === true ? partition.cpus : [];
  const open = new Set(
    processes.flatMap((process) => {
      const covered = union(atBoot, intersection(process.partition?.cpus ?? [], usable));
      return process.own.filter((cpu) => !covered.includes(cpu));
    }),
  );
  return isolated.filter((cpu) => open.has(cpu));
}

/** Seen twice at the slowest rate of Sync that is in use. */
const CLOCK_LOOKS = { everyMs: 1000, durationMs: 5000 };
/** Where the profile has PTP, a host whose time is not the grandmaster's is not fit. */
async function refuseWrongTime({ reader, root }: GateRequest, ptp: PtpWanted): Promise<void> {
  const probe = `${root}/dist/hft-probe`;
  const looks = await collectPtp(reader, { target: undefined, probe, clientSocket: undefined, ...CLOCK_LOOKS });
  const clock = judgeTime(reader.label, looks, ptp);
  if (clock === undefined) return;
  const { timescale, limitNs } = limitsOf(ptp);
  throw new GateClosed(clock, [
    `See \`hft verify ptp --limit ${limitNs}ns${timescale === 'arbitrary' ? ' --timescale arbitrary' : ''}\`. The limit is \`ptp.limit\` of the profile.`,
  ]);
}

export type TimeWanted = Partial<Pick<PtpWanted, 'limit' | 'timescale'>>;

/** A profile that an older hft put in force has neither key. */
function limitsOf({ limit = DEFAULT_LAUNCH_LIMIT_NS, timescale = 'ptp' }: TimeWanted) {
  return { limitNs: limit, timescale } as const;
}

/** Why the time is not to be traded by, in words; undefined: it is. */
export function judgeTime(host: string, looks: readonly PtpLook[], ptp: TimeWanted): string | undefined {
  const { limitNs, timescale } = limitsOf(ptp);
  const report = reportPtp(host, looks, {
    limitNs,
    utcLimits: [{ name: 'profile', source: 'ptp.limit of the profile', divergenceNs: limitNs }],
    timescale,
    allowsFreeRunning: false,
    grandmaster: undefined,
    isPrivileged: true,
  });
  if (verifyExitCode(report) === 0 && report.summary.pass > 0) return undefined;
  const wrong = report.results.filter(({ status }) => status !== 'pass' && status !== 'unsupported');
  const named = wrong.slice(0, MOST_NAMED).map(({ id, evidence }) => `${id} (${evidence})`);
  return `the time of this host does not verify: ${named.join(', ') || 'no ptp4l runs'}`;
}

const MOST_NAMED = 3;

function sayDifferences({ results }: Verification): string {
  const wrong = results.filter(({ status }) => status !== 'pass' && status !== 'unsupported').map(({ id }) => id);
  const more = wrong.length > MOST_NAMED ? ` and ${wrong.length - MOST_NAMED} more` : '';
  const which =
    wrong.length === 1
      ? 'One setting is not as the profile wants it'
      : `${wrong.length} settings are not as the profile wants them`;
  return `${which}: ${wrong.slice(0, MOST_NAMED).join(', ')}${more}`;
}

function nextAfter({ summary }: Verification): string {
  if (summary.fail === 0 && summary.unknown === 0) return 'All of it comes with a reboot: reboot first.';
  return 'See `hft verify settings`, and run `hft tune`.';
}

/** The host is not fit. */
export class GateClosed extends HftError {
  constructor(reason: string, next: readonly string[]) {
    super(`Nothing was started: ${reason}.`, {
      exitCode: 1,
      next: [...next, 'Or start all the same with --gate none, which is recorded.'],
    });
  }
}
