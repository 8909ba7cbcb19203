import type { Wanted } from '../engine/scope.ts';
import { type Verification, verifyExitCode } from '../engine/verify.ts';
import { HftError, UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import type { LatencyResult } from '../latency/report/result.ts';
import { DEFAULT_LAUNCH_LIMIT_NS } from '../ptp/expectation.ts';
import type { PtpReport } from '../ptp/report.ts';
import type { PtpWanted } from '../tuning/ptp/schema.ts';
import { measureHost } from './latency.ts';
import { type Installation, openAgent } from './target.ts';
import { settingsVerifier } from './verify.ts';
import { dpdkExitCode, verifyDpdk } from './verify-dpdk.ts';
import { verifyProcesses } from './verify-processes.ts';
import { verifyPtp } from './verify-ptp.ts';
import { loadWanted } from './wanted.ts';

/** In this order: latency is measured last, with CPUs kept busy. */
export type Part = 'settings' | 'processes' | 'ptp' | 'dpdk' | 'latency';

export interface VerifyAllFlags {
  readonly profile?: string | undefined;
  readonly skip?: readonly Part[] | undefined;
}

/** A part without an answer. `failed`: it could not be told whether it is right. */
export interface Left {
  readonly part: Part;
  readonly because: 'left out' | 'nothing to verify' | 'failed';
  readonly why: string;
}

/** What each part answers, as its own command does; null: see `left`. */
export interface AllVerified {
  readonly host: string;
  readonly profile: string | null;
  readonly settings: Verification | null;
  readonly processes: Verification | null;
  readonly ptp: PtpReport | null;
  readonly dpdk: Verification | null;
  readonly latency: LatencyResult | null;
  readonly left: readonly Left[];
}

interface Checked<Json> {
  readonly json: Json;
  readonly exitCode: number;
}

/** All that hft can verify of this machine, one part after the other; one that fails does not take the others with it. */
export async function verifyAll(
  installation: Installation,
  flags: VerifyAllFlags,
): Promise<{ readonly verified: AllVerified; readonly exitCode: number }> {
  const wanted = await findWanted(installation, flags.profile);
  const left: Left[] = [];
  const exitCodes: number[] = [];
  const check = async <Json>(part: Part, ask: () => Promise<Checked<Json> | string>): Promise<Json | null> => {
    if (flags.skip?.includes(part)) {
      left.push({ part, because: 'left out', why: `--skip ${part}` });
      return null;
    }
    const answer = await attempt(ask);
    if ('exitCode' in answer) {
      exitCodes.push(answer.exitCode);
      return answer.json;
    }
    left.push({ part, ...answer });
    if (answer.because === 'failed') exitCodes.push(1);
    return null;
  };
  const { profile } = flags;
  const ptp = wanted?.domains.ptp as PtpWanted | undefined;
  const verified = {
    host: await nameHost(),
    profile: wanted?.name ?? null,
    settings: await check('settings', async () => {
      if (wanted === undefined) return 'No profile is in force, and none was named (--profile).';
      const json = await (await settingsVerifier(installation, { profile }, {}))(undefined);
      return { json, exitCode: verifyExitCode(json) };
    }),
    processes: await check('processes', () => checkProcesses(installation)),
    ptp: await check('ptp', async () =>
      ptp === undefined
        ? 'No profile in question has `ptp:`. `hft verify ptp` looks at any host.'
        : judge(await verifyPtp(installation.root, ptpFlagsOf(ptp), () => {})),
    ),
    dpdk: await check('dpdk', async () => {
      if (wanted?.domains.dpdk === undefined)
        return 'No profile in question has `dpdk:`. `hft verify dpdk` looks at any host.';
      const json = await verifyDpdk(installation, { profile, vdev: [], port: [], durationS: 2, bursts: 1 });
      return { json, exitCode: dpdkExitCode(json) };
    }),
    latency: await check('latency', async () => {
      const { result, exitCode } = await measureHost(installation, { profile, suite: 'quick' });
      return { json: result, exitCode };
    }),
    left,
  };
  return { verified, exitCode: worstOf(exitCodes) };
}

const PROCESSES_S = 10;

/** Nothing that was launched is no fault. */
async function checkProcesses({ root }: Installation): Promise<Checked<Verification> | string> {
  try {
    return judge(await verifyProcesses(root, PROCESSES_S));
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

function judge<Json extends Verification | PtpReport>(json: Json): Checked<Json> {
  return { json, exitCode: verifyExitCode(json) };
}

/** A text: there is nothing to verify. */
async function attempt<Json>(
  ask: () => Promise<Checked<Json> | string>,
): Promise<Checked<Json> | Pick<Left, 'because' | 'why'>> {
  try {
    const answer = await ask();
    return typeof answer === 'string' ? { because: 'nothing to verify', why: answer } : answer;
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    return { because: 'failed', why: error.message };
  }
}

/** What is wrong counts for more than what is not decided, and that for more than what a reboot brings. Nothing verified proves nothing. */
function worstOf(exitCodes: readonly number[]): number {
  if (exitCodes.length === 0) return 1;
  const order = [0, 5, 6];
  return exitCodes.reduce((worst, code) => {
    if (!order.includes(worst)) return worst;
    return order.includes(code) && order.indexOf(code) < order.indexOf(worst) ? worst : code;
  }, 0);
}

/** undefined: no profile says how this host should be. Throws what is wrong with one that was named. */
async function findWanted(installation: Installation, profile: string | undefined): Promise<Wanted | undefined> {
  if (profile !== undefined) return (await loadWanted(profile, installation.root)).wanted;
  return (await (await openAgent(installation)).inForce())?.wanted;
}

/** As the launch gate holds the clock to it. */
function ptpFlagsOf({ limit = DEFAULT_LAUNCH_LIMIT_NS, timescale = 'ptp' }: Partial<PtpWanted>) {
  return { limit: `${limit}ns`, timescale, duration: '5s', interval: '1s', watch: false, evidence: false };
}

async function nameHost(): Promise<string> {
  const reader = new LocalHost();
  return (await reader.readText('/proc/sys/kernel/hostname'))?.trim() ?? reader.label;
}
