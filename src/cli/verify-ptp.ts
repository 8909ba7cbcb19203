import { checkEvidence, EvidenceLog } from '../agent/ptp-evidence.ts';
import { statePath } from '../agent/state-path.ts';
import { collectPtp, watchPtp } from '../agent/watch-ptp.ts';
import { UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import type { EvidenceCheck } from '../ptp/evidence.ts';
import { type PtpExpectation, UTC_LIMITS } from '../ptp/expectation.ts';
import type { PtpLook, PtpTarget } from '../ptp/look.ts';
import { ptpMetrics } from '../ptp/metrics.ts';
import { type PtpReport, reportPtp } from '../ptp/report.ts';
import { PATIENCE_MS } from '../ptp/track.ts';
import { parseNanoseconds, parseSeconds } from './duration.ts';
import { watchCancellation } from './interruption.ts';
import { writePtpEvidence } from './ptp-excursions.ts';
import { isRoot } from './root.ts';

export interface PtpFlags {
  readonly limit: string;
  readonly duration: string;
  readonly interval: string;
  readonly socket?: string | undefined;
  readonly domain?: number | undefined;
  readonly grandmaster?: string | undefined;
  readonly timescale: string;
  readonly 'free-running'?: boolean | undefined;
  readonly watch: boolean;
  readonly evidence: boolean;
  readonly metrics?: string | undefined;
}

/** Enough to see a Sync come at the slowest rate that is in use, and little enough that an excursion is seen as one. */
const WINDOW_MS = 15_000;

/** What is said of each look while it is watched. */
export type SayLook = (report: PtpReport) => void;

/** What is looked at for somebody else: every ptp4l of this host, for some time. */
export interface PtpWatch {
  readonly expectation: Omit<PtpExpectation, 'utcLimits' | 'isPrivileged'>;
  readonly everyMs: number;
  readonly durationMs: number;
  readonly signal: AbortSignal;
}

/** The same without anything written or shown meanwhile. */
export async function lookAtPtpHere(root: string, { expectation, ...watch }: PtpWatch): Promise<PtpReport> {
  const host = new LocalHost();
  const request = { ...watch, target: undefined, probe: `${root}/dist/hft-probe`, clientSocket: clientSocket() };
  const looks = await collectPtp(host, request);
  return reportPtp(await nameHost(host), looks, { ...expectation, utcLimits: UTC_LIMITS, isPrivileged: isRoot() });
}

/** Looks at the time of this host for some time, or until Ctrl-C, and judges all that was seen. Changes nothing but what it was told to
 *  write. */
export async function verifyPtp(root: string, flags: PtpFlags, say: SayLook): Promise<PtpReport> {
  const expectation = readExpectation(flags);
  const host = new LocalHost();
  const request = {
    target: readTarget(flags),
    probe: `${root}/dist/hft-probe`,
    clientSocket: clientSocket(),
    everyMs: readInterval(flags),
    durationMs: flags.watch ? undefined : parseSeconds('--duration', flags.duration) * 1000,
    signal: watchCancellation(),
  };
  const name = await nameHost(host);
  if (!flags.watch && !flags.evidence && flags.metrics === undefined) {
    return reportPtp(name, await collectPtp(host, request), expectation);
  }
  const log = flags.evidence ? await EvidenceLog.open(new LocalStateDirectory(statePath(process.env))) : undefined;
  try {
    return await follow(watchPtp(host, request), { name, expectation, host, flags, log, say });
  } finally {
    await log?.close();
  }
}

interface Following {
  readonly name: string;
  readonly expectation: PtpExpectation;
  readonly host: LocalHost;
  readonly flags: PtpFlags;
  readonly log: EvidenceLog | undefined;
  readonly say: SayLook;
}

/** Judges each look with those right before it; the answer is the worst that was seen. */
async function follow(looks: AsyncIterable<PtpLook>, following: Following): Promise<PtpReport> {
  const { name, expectation, host, flags, log, say } = following;
  const seen: PtpLook[] = [];
  let worst: PtpReport | undefined;
  const keep = writePtpEvidence(log, { host: name, expectation });
  for await (const look of looks) {
    seen.push(look);
    while ((seen[0]?.atMs ?? 0) < look.atMs - WINDOW_MS) seen.shift();
    // One look shows nothing move.
    if (seen.length < 2) continue;
    const report = reportPtp(name, seen, expectation);
    if (flags.watch) say(report);
    if (flags.metrics !== undefined) await host.replaceFile(flags.metrics, ptpMetrics(report), 0o644);
    await keep.sample(report);
    if (worst === undefined || badness(report) >= badness(worst)) worst = report;
  }
  await keep.end();
  return worst ?? reportPtp(name, seen, expectation);
}

function badness({ summary }: PtpReport): number {
  return summary.fail * 1000 + summary.unknown;
}

/** Whether the evidence log of this host is whole. */
export async function verifyEvidence(): Promise<EvidenceCheck & { readonly folder: string }> {
  const state = new LocalStateDirectory(statePath(process.env));
  return { folder: `${state.path}/ptp`, ...(await checkEvidence(state)) };
}

async function nameHost(reader: HostReader): Promise<string> {
  return (await reader.readText('/proc/sys/kernel/hostname'))?.trim() ?? reader.label;
}

export function readExpectation(flags: PtpFlags): PtpExpectation {
  const { grandmaster } = flags;
  if (grandmaster !== undefined && !/^[0-9a-f]{6}\.[0-9a-f]{4}\.[0-9a-f]{6}$/.test(grandmaster))
    throw new UsageError(
      `--grandmaster: expected an identity such as ec4670.fffe.00a1b2, got ${JSON.stringify(grandmaster)}`,
    );
  return {
    limitNs: parseNanoseconds('--limit', flags.limit),
    utcLimits: UTC_LIMITS,
    timescale: flags.timescale === 'arbitrary' ? 'arbitrary' : 'ptp',
    allowsFreeRunning: flags['free-running'] === true,
    grandmaster,
    isPrivileged: isRoot(),
  };
}

/** What moves between two looks counts as moving: a Sync that ended meanwhile must not. */
export function readInterval({ interval }: Pick<PtpFlags, 'interval'>): number {
  const everyMs = Math.max(parseSeconds('--interval', interval), 1) * 1000;
  if (everyMs <= PATIENCE_MS) return everyMs;
  throw new UsageError(
    `--interval: expected at most ${PATIENCE_MS / 1000}s, got ${interval}: a Sync that stops between two looks would not be missed.`,
  );
}

function readTarget({ socket, domain }: PtpFlags): PtpTarget | undefined {
  if (socket === undefined && domain === undefined) return undefined;
  if (socket === undefined) throw new UsageError('--domain says which domain the ptp4l at --socket is in: give both.');
  return { socket, domain: domain ?? 0 };
}

/** pmc makes a socket of its own in /var/run, which takes root: others have a folder for it, or the one for what is temporary. */
function clientSocket(): string | undefined {
  if (isRoot()) return undefined;
  return `${process.env.XDG_RUNTIME_DIR || '/tmp'}/hft-pmc-${process.pid}`;
}
