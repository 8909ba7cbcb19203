import { hasTestpmd, runTraffic } from '../agent/dpdk-traffic.ts';
import { type DpdkHost, isForDpdk, judgeDevices, judgeHugepages } from '../dpdk/devices.ts';
import { judgeTraffic } from '../dpdk/traffic.ts';
import { chooseTrafficCpus } from '../dpdk/traffic-cpus.ts';
import type { TrafficRun, Vdev } from '../dpdk/traffic-script.ts';
import type { Scope } from '../engine/scope.ts';
import { summarize, type Verification, type VerifyResult, verifyExitCode } from '../engine/verify.ts';
import { HftError, UsageError } from '../errors.ts';
import { LocalHost } from '../host/local.ts';
import { findPinned } from '../launch/pinned.ts';
import { readNames } from '../topology/kernel-file.ts';
import type { Machine } from '../topology/machine.ts';
import { readMachine } from '../topology/read.ts';
import { findVfioUsers } from '../tunables/pci/vfio-users.ts';
import { observeDpdk, type PciNic } from '../tuning/dpdk/facts.ts';
import { watchCancellation } from './interruption.ts';
import { isRoot } from './root.ts';
import type { Installation } from './target.ts';
import { settingsVerifier } from './verify.ts';

export interface VerifyDpdkFlags {
  readonly profile?: string | undefined;
  readonly vdev: readonly Vdev[];
  readonly port: readonly string[];
  readonly durationS: number;
  readonly bursts: number;
}

/** What the profile asks of DPDK, what is there for it, and a real run with traffic. Gives everything back that it takes. */
export function verifyDpdk(installation: Installation, flags: VerifyDpdkFlags): Promise<Verification> {
  const verifySettings = async () => (await settingsVerifier(installation, flags, DPDK_SETTINGS))(undefined);
  return verifyDpdkHere(installation.root, { ...flags, verifySettings, signal: watchCancellation() });
}

export const DPDK_SETTINGS: Scope = { only: ['dpdk', 'memory'] };

export interface DpdkRequest extends VerifyDpdkFlags {
  /** Of the profile, where one is named. */
  readonly verifySettings: () => Promise<Verification>;
  readonly signal: AbortSignal;
}

export async function verifyDpdkHere(root: string, flags: DpdkRequest): Promise<Verification> {
  const host = new LocalHost();
  const machine = await readMachine(host);
  const facts = await observeDpdk(host, machine);
  const dpdk: DpdkHost = { facts, machine, vfioFiles: await readNames(host, '/dev/vfio') };
  const ports = flags.port.map((address) => findPort(address, dpdk));
  const ready = ports.length > 0 ? ports : facts.nics.filter(isForDpdk);
  const results: VerifyResult[] = [
    ...(flags.profile === undefined ? [] : settingsOfDpdk(await flags.verifySettings())),
    ...judgeDevices(dpdk),
    ...(ready.length > 0 ? judgeHugepages(ready, machine) : []),
  ];
  const pinned = await findPinned(host, machine.kernel.isolated);
  const taken = pinned.flatMap(({ allowed }) => allowed);
  const bench = { host, machine, taken, probe: `${root}/dist/hft-probe` };
  results.push(...(await verifyTraffic(bench, flags, ports)));
  return { profile: flags.profile ?? 'what DPDK needs', host: machine.host, results, summary: summarize(results) };
}

/** As of any verification; and a run with traffic that could not be made has proven nothing. */
export function dpdkExitCode(verification: Verification): 0 | 1 | 5 {
  const runs = verification.results.filter(({ id }) => id.startsWith('dpdk.traffic@'));
  return runs.some(({ status }) => status !== 'pass') ? 1 : verifyExitCode(verification);
}

/** The dpdk and hugepage settings of a profile. */
function settingsOfDpdk({ results }: Verification): readonly VerifyResult[] {
  return results.filter(({ id }) => id.startsWith('dpdk.') || /^memory\.(?:hugepages|mount)@/.test(id));
}

/** Throws UsageError: no such device, or one that the kernel drives. */
function findPort(address: string, { facts }: DpdkHost): PciNic {
  const nic = facts.nics.find((each) => each.address === address);
  const known = facts.nics.map((each) => `${each.address} (${each.driver ?? 'no driver'})`).join(', ') || 'none';
  if (nic === undefined) {
    const next = ['`hft inspect` shows the NICs; an address is written 0000:3b:00.0.'];
    throw new UsageError(`--port: there is no network device at ${address} (devices: ${known}).`, { next });
  }
  if (isForDpdk(nic)) return nic;
  throw new UsageError(`--port ${address}: ${nic.driver ?? 'no driver'} drives it, so DPDK cannot.`, {
    next: [`dpdk: {devices: ["pci=${address}"]} in a profile gives it to vfio-pci. Nothing was changed.`],
  });
}

interface Bench {
  readonly host: LocalHost;
  readonly machine: Machine;
  /** Isolated CPUs that somebody is pinned to. */
  readonly taken: readonly number[];
  readonly probe: string;
}

async function verifyTraffic(
  bench: Bench,
  flags: DpdkRequest,
  ports: readonly PciNic[],
): Promise<readonly VerifyResult[]> {
  const vdevs = flags.vdev.length === 0 && ports.length === 0 ? (['net_null'] as const) : flags.vdev;
  const ways = [...vdevs, ...(ports.length > 0 ? (['pci'] as const) : [])];
  const obstacle = await findObstacle(bench, ports);
  const results: VerifyResult[] = [];
  for (const over of ways) {
    const id = `dpdk.traffic@${over === 'pci' ? ports.map(({ address }) => address).join('+') : over}`;
    results.push({
      id,
      domain: 'dpdk',
      ...(obstacle ?? (await measure(bench, runOf(bench, flags, { over, ports }), flags.signal))),
    });
  }
  return results;
}

type Answer = Omit<VerifyResult, 'id' | 'domain'>;

async function findObstacle({ host, machine }: Bench, ports: readonly PciNic[]): Promise<Answer | undefined> {
  const nothing = { expected: null, actual: null };
  if (!(await hasTestpmd(host))) {
    const evidence =
      'dpdk-testpmd is not installed. On Debian and Ubuntu it is in the package dpdk-dev (not in dpdk); elsewhere in dpdk-tools or dpdk.';
    return { ...nothing, status: 'unsupported', evidence };
  }
  if (!isRoot())
    return { ...nothing, status: 'unknown', evidence: 'To run dpdk-testpmd needs root: run it with sudo.' };
  for (const { address } of ports) {
    const [user] = await findVfioUsers(host, address);
    if (user !== undefined) {
      const evidence = `${address} is in use by ${user.command} (pid ${user.pid}): end it, and run this again.`;
      return { ...nothing, status: 'unknown', evidence };
    }
  }
  const without = judgeHugepages(ports, machine).find(({ status }) => status === 'fail');
  return without === undefined ? undefined : { ...nothing, status: 'fail', evidence: without.evidence };
}

async function measure({ host }: Bench, run: TrafficRun, signal: AbortSignal): Promise<Answer> {
  const end = await runTraffic(host, run, signal);
  if (signal.aborted) throw new HftError('Interrupted: what was started for the run has ended.', { exitCode: 1 });
  if (end === undefined)
    return { status: 'unsupported', expected: null, actual: null, evidence: 'unshare is not installed (util-linux).' };
  return judgeTraffic(run, end);
}

const MEMORY_MIB = 256;

function runOf(
  { machine, taken, probe }: Bench,
  { durationS, bursts }: VerifyDpdkFlags,
  { over, ports }: Pick<TrafficRun, 'over'> & { readonly ports: readonly PciNic[] },
): TrafficRun {
  const nodes = new Set(ports.map((port) => port.node ?? 0));
  const memoryMib = Array.from({ length: Math.max(...nodes, 0) + 1 }, (_, each) => (nodes.has(each) ? MEMORY_MIB : 0));
  return {
    over,
    probe,
    durationS,
    bursts,
    filePrefix: `hft-verify-${process.pid}`,
    ...chooseTrafficCpus(machine, { node: ports[0]?.node, taken }),
    ports: ports.map(({ address }) => address),
    memoryMib: over === 'pci' ? memoryMib : undefined,
  };
}
