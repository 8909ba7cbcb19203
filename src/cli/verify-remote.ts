import type { RemoteVerifier } from '../agent/client/remote-verify.ts';
import { LIMITS } from '../agent/protocol/limits.ts';
import type { Verification } from '../engine/verify.ts';
import { UsageError } from '../errors.ts';
import type { PtpReport } from '../ptp/report.ts';
import type { HostFlags } from './host-flag.ts';
import { watchCancellationOnce } from './interruption.ts';
import type { NamedHost } from './named-host.ts';
import { openRemote } from './open-host.ts';
import type { Installation } from './target.ts';
import type { VerifyDpdkFlags } from './verify-dpdk.ts';
import type { PtpFlags, SayLook } from './verify-ptp.ts';

/** This machine, or a named one. */
type Verifier<Report> = (host: NamedHost | undefined) => Promise<Report>;

export async function processesVerifier(
  root: string,
  durationS: number,
  hosts: HostFlags,
): Promise<Verifier<Verification>> {
  if (!areOthers(hosts)) return async () => (await import('./verify-processes.ts')).verifyProcesses(root, durationS);
  requireShort(durationS, LIMITS.watchingS);
  const signal = watchCancellationOnce();
  return (host) => through(host, (verifier) => verifier.processes({ durationS }, { signal }));
}

/** What writes or reads files of the host, or goes on until Ctrl-C, is for who is there. */
const PTP_FOR_HERE = ['watch', 'evidence', 'metrics', 'socket', 'domain', 'check-evidence'];

export async function ptpVerifier(
  root: string,
  flags: PtpFlags & Pick<HostFlags, 'host' | 'inventory'>,
  say: SayLook,
): Promise<Verifier<PtpReport>> {
  const { readExpectation, readInterval, verifyPtp } = await import('./verify-ptp.ts');
  if (!areOthers(flags)) return () => verifyPtp(root, flags, say);
  const given: Readonly<Record<string, unknown>> = { ...flags };
  const own = PTP_FOR_HERE.find((name) => given[name] !== undefined && given[name] !== false);
  if (own !== undefined)
    throw new UsageError(
      `--${own} does not go with --host or --inventory: an agent takes no file, and no watch without an end.`,
      {
        next: [`On the host itself: \`hft verify ptp --${own}\`.`],
      },
    );
  const { parseSeconds } = await import('./duration.ts');
  const { limitNs, grandmaster, timescale, allowsFreeRunning: freeRunning } = readExpectation(flags);
  const durationS = parseSeconds('--duration', flags.duration);
  requireShort(durationS, LIMITS.watchingS);
  const intervalS = readInterval(flags) / 1000;
  const asked = { limitNs, timescale, freeRunning, durationS, intervalS, ...(grandmaster && { grandmaster }) };
  const signal = watchCancellationOnce();
  return (host) => through(host, (verifier) => verifier.ptp(asked, { signal }));
}

export async function dpdkVerifier(
  installation: Installation,
  flags: VerifyDpdkFlags & HostFlags,
): Promise<Verifier<Verification>> {
  const { verifyDpdk } = await import('./verify-dpdk.ts');
  if (!areOthers(flags)) return () => verifyDpdk(installation, flags);
  const { vdev, port, durationS, bursts } = flags;
  requireShort(durationS, LIMITS.trafficS);
  const { loadWanted } = await import('./wanted.ts');
  const { toSent } = await import('../agent/client/remote-host.ts');
  const named = flags.profile === undefined ? undefined : await loadWanted(flags.profile, installation.root);
  const asked = {
    vdev: [...vdev],
    port: [...port],
    durationS,
    bursts,
    ...(named && { profile: toSent(named.wanted) }),
  };
  const locate = named?.locate ?? (<T>(act: () => Promise<T>) => act());
  const signal = watchCancellationOnce();
  return (host) => locate(() => through(host, (verifier) => verifier.dpdk(asked, { signal })));
}

function areOthers({ host, inventory }: Pick<HostFlags, 'host' | 'inventory'>): boolean {
  return host !== undefined || inventory !== undefined;
}

/** Throws UsageError. */
function requireShort(durationS: number, mostS: number): void {
  if (durationS <= mostS) return;
  throw new UsageError(`--duration: an agent looks for ${mostS} s at most, got ${durationS} s.`, {
    next: ['On the host itself there is no limit.'],
  });
}

async function through<Report>(
  host: NamedHost | undefined,
  ask: (verifier: RemoteVerifier) => Promise<Report>,
): Promise<Report> {
  const { control, close } = await openRemote(host as NamedHost);
  try {
    return await ask(control.verifying);
  } finally {
    close();
  }
}
