import {
  awaitProcesses,
  findChanged,
  type LaunchRequest,
  type LaunchSite,
  orderLaunch,
  orderStop,
} from '../agent/launching.ts';
import { HftError, UsageError } from '../errors.ts';
import { withRequired } from '../launch/dependencies.ts';
import type { OrderedProcess } from '../launch/order.ts';
import type { PlacedProcess } from '../launch/placement.ts';
import type { Phase, ProcessRecord } from '../launch/supervision.ts';
import { InvalidProfile } from '../profile/problem.ts';
import { fillEal } from './dpdk-eal.ts';
import { refuseUnfit } from './launch-gate.ts';
import { openLaunchSite, whoAsks } from './launch-site.ts';
import { placeDeployment } from './place.ts';
import { isRoot } from './root.ts';
import { type Installation, openAgent } from './target.ts';

export interface LaunchFlags {
  readonly profile?: string | undefined;
  readonly only?: readonly string[] | undefined;
  readonly gate: string;
  readonly wait: boolean;
  readonly restart: boolean;
  /** For the record of launches; whoever typed it unless given. */
  readonly by?: string;
}

export interface LaunchAnswer {
  readonly deployment: string;
  readonly gate: 'verify' | 'none';
  /** What was asked for, with all that it requires, in the order of their start. */
  readonly processes: readonly string[];
  /** As they are when this returns. */
  readonly records: readonly ProcessRecord[];
  readonly waited: boolean;
}

/** Starts the processes of a deployment, each thread where the placement has it. Throws before anything starts. */
export async function launch(installation: Installation, file: string, flags: LaunchFlags): Promise<LaunchAnswer> {
  const { root, version } = installation;
  const site = openLaunchSite(root, version);
  const placed = await placeDeployment(site.host, { root, file, profile: flags.profile });
  const { placement, machine, profile } = placed;
  const deployment = await fillEal(site.host, root, placed);
  if (placement.missing.length > 0) throw new InvalidProfile(placement.missing);
  const names = chooseNames(flags.only, deployment.processes);
  refuseForeignUsers(names, deployment.processes);
  refuseForeignPartition(names, placement.processes);
  const { isolated, housekeeping } = machine.layout;
  const gate = flags.gate === 'none' ? 'none' : 'verify';
  if (gate === 'verify') {
    const agent = await openAgent(installation);
    await refuseUnfit({ agent, reader: site.host, root, profile, processes: placement.processes, isolated });
  }
  const request = {
    deployment,
    placement,
    names,
    gate,
    profile,
    roles: { isolated, housekeeping },
    by: flags.by ?? whoAsks(),
  } as const;
  if (flags.restart) await stopChanged(site, request);
  const order = await orderLaunch(site, request);
  const asked = order.processes.filter(({ name }) => names.includes(name));
  const records = await awaitStart(site, asked, flags.wait);
  return { deployment: deployment.name, gate, processes: asked.map(({ name }) => name), records, waited: flags.wait };
}

/** Ends what runs and would be started in another way, and returns when it is down: what is the same goes on. */
async function stopChanged(site: LaunchSite, request: LaunchRequest): Promise<void> {
  const changed = await findChanged(site, request);
  if (changed.length === 0) return;
  const records = await stopNamed(site, changed, request.by);
  const left = records.filter(({ phase }) => phase !== 'down').map(({ name }) => name);
  if (left.length === 0) return;
  throw new HftError(`Nothing was started: ${left.join(', ')} did not end.`, {
    exitCode: 3,
    next: ['`hft ps` shows what it does; `hft stop` tries again.'],
  });
}

/** Ends what hft launched; without names all of it. */
export async function stop(
  { root, version }: Installation,
  names: readonly string[],
  by = whoAsks(),
): Promise<readonly ProcessRecord[]> {
  const site = openLaunchSite(root, version);
  return stopNamed(site, names, by);
}

async function stopNamed(site: LaunchSite, names: readonly string[], by: string): Promise<readonly ProcessRecord[]> {
  const chosen = await orderStop(site, names, by);
  if (chosen.length === 0) return [];
  // The longest row of processes that wait for each other, and one that does not end until it is killed.
  const withinMs = (chosen.length * LONGEST_STOP_S + PATIENCE_S) * 1000;
  return awaitProcesses(site, chosen, { isSettled: ({ phase }) => phase === 'down', withinMs });
}

const LONGEST_STOP_S = 60;
/** The supervisor has to start, on a machine that may be busy. */
const PATIENCE_S = 30;
const MS_PER_S = 1000;

const STAYS: ReadonlySet<Phase> = new Set(['running', 'ended', 'broken']);

function awaitStart(
  site: LaunchSite,
  asked: readonly OrderedProcess[],
  waits: boolean,
): Promise<readonly ProcessRecord[]> {
  const readyS = asked.reduce((sum, { wanted }) => sum + wanted.readyWithin, 0);
  const withinMs = (waits ? readyS + PATIENCE_S : PATIENCE_S) * MS_PER_S;
  const askedBy = new Map(asked.map((process) => [process.name, process.asked]));
  const isSettled = (record: ProcessRecord) => !waits || STAYS.has(record.phase);
  return awaitProcesses(
    site,
    asked.map(({ name }) => name),
    { isSettled: (record) => record.asked === askedBy.get(record.name) && isSettled(record), withinMs },
  );
}

function chooseNames(
  only: readonly string[] | undefined,
  processes: Readonly<Record<string, { readonly requires: readonly string[] }>>,
): string[] {
  const all = Object.keys(processes);
  const unknown = only?.find((name) => !all.includes(name));
  if (unknown === undefined) return withRequired(only ?? all, processes);
  throw new UsageError(`--only: there is no process ${JSON.stringify(unknown)}.`, {
    next: [`The deployment has: ${all.join(', ')}.`],
  });
}

/** Only root moves threads between cgroups. */
function refuseForeignPartition(names: readonly string[], processes: readonly PlacedProcess[]): void {
  const inside = processes.find(({ name, partition }) => names.includes(name) && partition !== undefined);
  if (isRoot() || inside === undefined) return;
  throw new UsageError(
    `${inside.name} has CPUs of the cpuset partition ${inside.partition?.cgroup}, into which only root puts threads.`,
    { next: ['Run it with sudo.'] },
  );
}

/** Only root can become somebody else. */
function refuseForeignUsers(
  names: readonly string[],
  processes: Readonly<Record<string, { readonly user?: string | undefined }>>,
): void {
  const foreign = names.find((name) => processes[name]?.user !== undefined);
  if (process.getuid?.() === 0 || foreign === undefined) return;
  throw new UsageError(`${foreign} runs as ${processes[foreign]?.user}, which needs root.`, {
    next: ['Run it with sudo.'],
  });
}
