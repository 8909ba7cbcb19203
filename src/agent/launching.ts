import { HftError, UsageError } from '../errors.ts';
import type { Host, HostReader } from '../host/host.ts';
import { readBootId } from '../host/process-identity.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import type { Deployment } from '../launch/deployment.ts';
import { mergeOrders } from '../launch/merge-orders.ts';
import type { Engine, LaunchOrder, OrderedProcess } from '../launch/order.ts';
import type { PlacedProcess, Placement } from '../launch/placement.ts';
import type { ProcessWanted } from '../launch/schema.ts';
import { checkLine, startLine } from '../launch/start-line.ts';
import type { ProcessRecord } from '../launch/supervision.ts';
import { placeArguments } from '../launch/thread-spec.ts';
import { resolveAccount } from './accounts.ts';
import { forgetEnvironments, keepEnvironment, variablesInUse } from './environment-files.ts';
import { isSupervised, type LaunchState, readKeptOrder, readOrder, readState, writeOrder } from './launch-files.ts';
import { isRunBySystemd, launchByUnits, stopByUnits, unitSiteOf } from './launch-units.ts';
import { settleUnits } from './unit-files.ts';
import { readUnitRecords } from './units.ts';

/** What launching works with. */
export interface LaunchSite {
  readonly host: Host;
  /** Where the lock and the record of launches are. */
  readonly state: StateDirectory;
  /** Where the order and the state of what runs are. */
  readonly run: StateDirectory;
  /** Where is what a boot needs to launch it again: the order, variables, the journal of unit files. */
  readonly kept: StateDirectory;
  /** Whether units may be written here: root's hft, with nothing of it moved elsewhere. */
  readonly ownsHost: boolean;
  /** The absolute path of hft-probe. */
  readonly probe: string;
  /** The absolute path of hft, which units start. */
  readonly command: string;
  readonly version: string;
  /** A new name for a run of the journal, sorting by time. */
  readonly nameRun: () => string;
  /** Starts the supervisor; returns when that was asked for. */
  readonly startSupervisor: () => Promise<void>;
  readonly now: () => Date;
}

export interface LaunchRequest {
  readonly deployment: Deployment;
  readonly placement: Placement;
  readonly names: readonly string[];
  readonly gate: LaunchOrder['gate'];
  /** By which the gate looked; undefined: what is in force. */
  readonly profile: string | undefined;
  readonly roles: Pick<LaunchOrder, 'isolated' | 'housekeeping'>;
  /** Who asked, for the record. */
  readonly by: string;
}

/** Writes down what is to run, and sees to it that somebody makes it so. Throws where that would restart what runs. */
export async function orderLaunch(site: LaunchSite, request: LaunchRequest): Promise<LaunchOrder> {
  const lock = await site.state.lock('hft launch');
  try {
    const engine = (await isRunBySystemd(site)) ? 'systemd' : 'hft';
    await settle(site);
    const { order: before, state } = await readLaunch(site.run, site.host);
    const wanted = await describeOrder(site, request, engine);
    const known = before === undefined ? undefined : { order: before, records: state?.processes ?? [] };
    const { order, conflicts } = mergeOrders(wanted, request.names, known);
    if (conflicts.length > 0) throw new RunsOtherwise(conflicts);
    const { deployment, time, gate } = order;
    const line = { time, event: 'launch', deployment, processes: request.names, gate, by: request.by };
    await site.state.append('launches.jsonl', `${JSON.stringify(line)}\n`, true);
    if (engine === 'systemd') return await launchByUnits(site, order, before);
    await writeOrder(site.run, order);
    await forgetEnvironments(
      site.run,
      order.processes.flatMap(({ environmentFile }) => environmentFile ?? []),
    );
    await superviseAgain(site);
    return order;
  } finally {
    await lock.release();
  }
}

/** The processes that run and would be started in another way, or not at all. Changes nothing but where variables are kept. */
export async function findChanged(site: LaunchSite, request: LaunchRequest): Promise<readonly string[]> {
  const engine = (await isRunBySystemd(site)) ? 'systemd' : 'hft';
  const { order: before, state } = await readLaunch(site.run, site.host);
  const wanted = await describeOrder(site, request, engine);
  const known = before === undefined ? undefined : { order: before, records: state?.processes ?? [] };
  return mergeOrders(wanted, request.names, known).conflicts.map(({ name }) => name);
}

/** Writes down that processes are to end; without names all of them. Returns their names. */
export async function orderStop(site: LaunchSite, names: readonly string[], by: string): Promise<readonly string[]> {
  const lock = await site.state.lock('hft stop');
  try {
    await settle(site);
    const before = await readOrder(site.run);
    const all = before?.processes.map(({ name }) => name) ?? [];
    const unknown = names.find((name) => !all.includes(name));
    if (unknown !== undefined)
      throw new UsageError(`There is no process ${JSON.stringify(unknown)} that hft launched.`, {
        next: [all.length === 0 ? 'Nothing was launched here.' : `There are: ${all.join(', ')}.`],
      });
    if (before === undefined) return [];
    const chosen = names.length === 0 ? all : names;
    const time = site.now().toISOString();
    const line = { time, event: 'stop', deployment: before.deployment, processes: chosen, by };
    await site.state.append('launches.jsonl', `${JSON.stringify(line)}\n`, true);
    const processes = before.processes.map(
      (process): OrderedProcess => (chosen.includes(process.name) ? { ...process, goal: 'down' } : process),
    );
    if (before.engine === 'systemd') await stopByUnits(site, { ...before, time, processes });
    else {
      await writeOrder(site.run, { ...before, time, processes });
      await superviseAgain(site);
    }
    return chosen;
  } finally {
    await lock.release();
  }
}

export interface Launched {
  readonly order: LaunchOrder | undefined;
  readonly state: LaunchState | undefined;
}

export async function readLaunch(run: StateDirectory, reader: HostReader): Promise<Launched> {
  const order = await readOrder(run);
  if (order?.engine !== 'systemd') return { order, state: await readState(run) };
  const { deployment, time } = order;
  const processes = await readUnitRecords(reader, order);
  return { order, state: { supervisor: undefined, deployment, order: time, processes } };
}

/** What a kill or a boot left half done: units without their order go back, and the order is where everybody looks. */
async function settle(site: LaunchSite): Promise<void> {
  if (!(await isRunBySystemd(site))) return;
  const kept = await readKeptOrder(site.kept);
  await settleUnits(unitSiteOf(site), kept?.run);
  // After a rollback of everything what runs still has its own.
  if (kept === undefined) await forgetEnvironments(site.kept, variablesInUse(await readOrder(site.run)));
  await showKeptOrder(site);
}

/** An order that systemd keeps across boots, where everybody looks. Throws HostError (EACCES) where this user may not. */
export async function showKeptOrder({ kept, run }: Pick<LaunchSite, 'kept' | 'run'>): Promise<void> {
  const [order, shown] = [await readKeptOrder(kept), await readOrder(run)];
  if (order === undefined || (shown !== undefined && shown.time >= order.time)) return;
  const bootId = readBootId();
  const refused =
    'this host was booted since, and nothing has looked whether it is fit: see `systemctl status hft-gate`';
  await writeOrder(run, order.bootId === bootId ? order : { ...order, bootId, refused });
}

/** Whether somebody has to watch over what was ordered. */
export function needsSupervisor({ order, state }: Launched): boolean {
  if (order === undefined || order.engine === 'systemd' || isSupervised(state)) return false;
  return order.processes.some(({ name, goal, asked }) => {
    const record = state?.processes.find((each) => each.name === name);
    const phase = record?.phase ?? 'down';
    if (goal === 'down') return phase !== 'down';
    return asked !== record?.asked || !['ended', 'broken'].includes(phase);
  });
}

/** Has the processes watched over again whose supervisor was killed. True when there was need of it. Throws HostError (EACCES) where this user may not. */
export async function superviseAgain(site: LaunchSite): Promise<boolean> {
  if (!needsSupervisor(await readLaunch(site.run, site.host))) return false;
  // Whether this user may at all: what starts it in the background could not say.
  await site.run.append('supervisor.log', '', false);
  await site.startSupervisor();
  return true;
}

/** Until each of the processes is as `isSettled` wants it, or the time is over. */
export async function awaitProcesses(
  site: LaunchSite,
  names: readonly string[],
  until: { readonly isSettled: (record: ProcessRecord) => boolean; readonly withinMs: number },
): Promise<readonly ProcessRecord[]> {
  const deadlineMs = performance.now() + until.withinMs;
  let startedMs = performance.now();
  for (;;) {
    const launched = await readLaunch(site.run, site.host);
    const { order, state } = launched;
    // Where nothing has to be done nobody is there to take the order.
    const isIdle = !isSupervised(state) && !needsSupervisor(launched);
    const isTaken = isIdle || state?.order === order?.time;
    const records = names.flatMap((name) => state?.processes.find((record) => record.name === name) ?? []);
    const isDone = isTaken && records.length === names.length && records.every(until.isSettled);
    if (isDone || performance.now() > deadlineMs) return records;
    // One that ends for want of work as the order is written does not see it.
    if (performance.now() - startedMs > START_EVERY_MS) {
      startedMs = performance.now();
      await superviseAgain(site);
    }
    await new Promise((resolve) => setTimeout(resolve, order?.engine === 'systemd' ? ASK_MS : PERIOD_MS));
  }
}

const PERIOD_MS = 100;
/** Asking systemd starts a process. */
const ASK_MS = 500;
/** A busy machine takes that long to start Node. */
const START_EVERY_MS = 5_000;

async function describeOrder(site: LaunchSite, request: LaunchRequest, engine: Engine): Promise<LaunchOrder> {
  const { now } = site;
  const { deployment, placement, gate, roles, profile } = request;
  const processes: OrderedProcess[] = [];
  for (const placed of placement.processes) {
    const wanted = deployment.processes[placed.name];
    if (wanted === undefined) continue;
    processes.push(await describeProcess(site, { placed, wanted, engine }));
  }
  const { name, file, heal } = deployment;
  const written = { time: now().toISOString(), bootId: readBootId() };
  return { engine, deployment: name, file, profile, ...written, gate, heal, ...roles, placement, processes };
}

interface Describing {
  readonly placed: PlacedProcess;
  readonly wanted: ProcessWanted;
  readonly engine: Engine;
}

async function describeProcess(
  { host, probe, run, kept }: LaunchSite,
  { placed, wanted, engine }: Describing,
): Promise<OrderedProcess> {
  const { name } = placed;
  const says = wanted.ready === 'notify' || wanted.health?.watchdog !== undefined;
  const environmentFile = await keepEnvironment(engine === 'systemd' ? kept : run, name, wanted.environment);
  const line = {
    probe,
    account: await resolveAccount(host, wanted),
    log: `${run.path}/${name}.log`,
    environmentFile,
    notifySocket: says ? `${run.path}/notify` : undefined,
  };
  return {
    name,
    goal: 'down',
    asked: 0,
    start: startLine(placed, wanted, line),
    check: checkLine(placed, wanted, line),
    threads: placeArguments(placed),
    wanted: { ...wanted, environment: {} },
    environmentFile,
  };
}

/** Nothing that runs is restarted by the way. */
class RunsOtherwise extends HftError {
  constructor(conflicts: readonly { readonly name: string; readonly why: string }[]) {
    const names = conflicts.map(({ name }) => name).join(' ');
    super(`Nothing was started: ${conflicts.map(({ name, why }) => `${name} runs, and ${why}`).join('; ')}.`, {
      exitCode: 3,
      next: [`Stop first what is to change: \`hft stop ${names}\`.`],
    });
  }
}
