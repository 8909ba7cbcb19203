import type { Agent } from '../agent/agent.ts';
import type { Verification } from '../engine/verify.ts';
import { verifyExitCode } from '../engine/verify.ts';
import { HftError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { type Partition, readBootIsolated, readPartition } from '../launch/isolated.ts';
import type { PlacedProcess } from '../launch/placement.ts';
import { nameCpus } from '../layout/names.ts';
import { isSubset, printCpulist } from '../topology/cpulist.ts';
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
  const verification = await verifyHost(agent, { root, profile });
  if (verification === undefined)
    throw new GateClosed(
      'nothing says how this host should be: no profile is in force, and the deployment names none',
      ['Name one: `profile:` in the deployment, or --profile.'],
    );
  if (verifyExitCode(verification) !== 0) throw new GateClosed(sayDifferences(verification), [nextAfter(verification)]);
  const open = await findOpen(request);
  if (open.length === 0) return;
  const { reason, next } = explainOpen(open, await readPartition(request.reader));
  throw new GateClosed(reason, next);
}

/**
 * Why CPUs that are not isolated since boot are not enough, in words. Of a partition the kernel lets no thread out and none in: all threads of
 * a process are inside, or none is, so what is started outside gets EINVAL there.
 */
export function explainOpen(
  open: readonly number[],
  partition: Partition | undefined,
): { readonly reason: string; readonly next: readonly string[] } {
  const [they, them] = open.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const boot = 'Run `hft tune` with a profile that isolates at boot (isolation: { method: boot }), and reboot.';
  if (partition === undefined)
    return {
      reason: `${nameCpus(open)} should be isolated, and the running kernel does not isolate ${them}`,
      next: [boot],
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
  return {
    reason: `${nameCpus(open)} ${they} isolated by a cpuset partition alone, in which \`hft launch\` can place nothing that it starts`,
    next: [boot, 'Or start the process inside (systemd-run --slice=hft.slice …), and place it with `hft adopt`.'],
  };
}

async function verifyHost(
  agent: Agent,
  { root, profile }: Pick<GateRequest, 'root' | 'profile'>,
): Promise<Verification | undefined> {
  if (profile === undefined) return agent.verifyInForce({});
  const { wanted, scope, locate } = await loadWanted(profile, root);
  return locate(() => agent.verify(wanted, scope));
}

async function findOpen({ reader, processes, isolated }: GateRequest): Promise<number[]> {
  const effective = await readBootIsolated(reader);
  const own = new Set(processes.flatMap((process) => process.own));
  return isolated.filter((cpu) => own.has(cpu) && !effective.includes(cpu));
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
