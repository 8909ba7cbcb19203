import { adopt, adoptedNow } from '../engine/adopt.ts';
import type { AppliedStep, SkippedStep } from '../engine/apply.ts';
import type { Engine } from '../engine/tune.ts';
import { UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { type AdoptionWish, placeAdopted } from '../launch/adoption.ts';
import type { TaskLook } from '../launch/look.ts';
import { readTasks } from '../launch/look.ts';
import { matchThreads } from '../launch/match-threads.ts';
import type { PlacedProcess, Scheduling } from '../launch/placement.ts';
import { nameCpus } from '../layout/names.ts';
import { layoutWanted } from '../layout/schema.ts';
import { intersection, printCpulist } from '../topology/cpulist.ts';
import type { Setting } from '../tuning/domain.ts';
import { readStart } from './find-process.ts';
import { readLaunch } from './launching.ts';

/** A process that somebody else started, and where its threads are to go. */
export interface AdoptionRequest {
  readonly pid: number;
  /** Lower-case letters, digits, hyphens. */
  readonly name: string;
  /** Empty: all threads as they are. */
  readonly wishes: readonly AdoptionWish[];
  readonly isolated: readonly number[];
}

export interface Adoption {
  readonly run: string;
  readonly pid: number;
  readonly placed: PlacedProcess;
  /** The threads that have a rule, as they are now. */
  readonly threads: readonly AdoptedThread[];
  readonly applied: readonly AppliedStep[];
  readonly skipped: readonly SkippedStep[];
}

export interface AdoptedThread {
  readonly tid: number;
  readonly name: string;
  readonly rule: string;
  readonly cpus: readonly number[];
  readonly scheduling: Scheduling;
}

export interface AdoptionSite {
  readonly engine: Engine;
  /** Where the order and the state of what was launched are. */
  readonly run: StateDirectory;
}

/** Places a running process through the journal and has it watched from now on. Throws UsageError before anything is changed. */
export async function adoptProcess({ engine, run }: AdoptionSite, request: AdoptionRequest): Promise<Adoption> {
  const { pid, name, wishes, isolated } = request;
  const { host } = engine;
  const startTicks = await refuseForeign(host, pid);
  const taken = await readTaken({ engine, run });
  refuseTaken(request, taken);
  const tasks = await readTasks(host, pid);
  const placed = placeAdopted(wishes, { name, tasks, isolated });
  const foreign = intersection(placed.own, taken.own);
  if (foreign.length > 0)
    throw new UsageError(`${nameCpus(foreign)}: another process that hft watches has it to itself.`, {
      next: ['`hft ps` shows who has which CPU.'],
    });
  const desire = async () => settingsOf({ name, placed, wishes }, await readSame(host, pid, startTicks));
  const adopted = { name, pid, startTicks, placed };
  const outcome = await adopt(engine, { adopted, layout: layoutWanted.parse({}), desire });
  const { matched } = matchThreads(placed.threads, await readSame(host, pid, startTicks));
  const threads = matched.map(({ rule, task, cpus }) => ({
    tid: task.tid,
    name: task.name,
    rule: rule.name,
    cpus,
    scheduling: rule.scheduling,
  }));
  return { ...outcome, pid, placed, threads };
}

/** The start time of a process that can be adopted. */
async function refuseForeign(host: HostReader, pid: number): Promise<string> {
  const startTicks = await readStart(host, pid);
  const status = startTicks === undefined ? undefined : await host.readText(`/proc/${pid}/status`);
  if (startTicks === undefined || status === undefined)
    throw new UsageError(`There is no process ${pid}.`, { next: ['`ps -e` lists the processes of this host.'] });
  const leader = Number(/^Tgid:\s*(\d+)$/m.exec(status)?.[1]);
  if (leader !== pid)
    throw new UsageError(`${pid} is a thread of process ${leader}: a process is adopted as a whole.`, {
      next: [`Adopt ${leader}, and name the thread with --thread.`],
    });
  if ((await readTasks(host, pid)).some(({ isKernel }) => isKernel))
    throw new UsageError(`${pid} is a thread of the kernel, which profiles place.`, {
      next: ['`hft profile explain` shows where.'],
    });
  if (pid === 1) throw new UsageError('1 is the init process: whatever it starts would inherit its CPUs.');
  return startTicks;
}

interface Taken {
  /** Names, and who has them. */
  readonly names: ReadonlyMap<string, string>;
  /** Processes that hft knows, with what it knows of them. */
  readonly pids: ReadonlyMap<number, string>;
  readonly own: readonly number[];
}

async function readTaken({ engine, run }: AdoptionSite): Promise<Taken> {
  const { order, state } = await readLaunch(run, engine.host);
  const adopted = await adoptedAlive(engine);
  const placed = [...(order?.placement.processes ?? []), ...adopted.map((each) => each.placed as PlacedProcess)];
  const launched = (state?.processes ?? []).filter(({ pid, phase }) => pid !== undefined && phase !== 'down');
  return {
    names: new Map([
      ...(order?.processes ?? []).map(({ name }) => [name, `deployment ${order?.deployment}`] as const),
      ...adopted.map(({ name, pid }) => [name, `process ${pid}, which was adopted,`] as const),
    ]),
    pids: new Map([
      [process.pid, 'hft itself'],
      ...(state?.supervisor === undefined ? [] : [[state.supervisor.pid, 'the supervisor of hft'] as const]),
      ...launched.map(({ pid, name }) => [pid as number, `${name}, which hft launched`] as const),
      ...adopted.map(({ pid, name }) => [pid, `adopted already, as ${name}`] as const),
    ]),
    own: placed.flatMap(({ own }) => own),
  };
}

/** Those that still run: a name is free again when its process has ended. */
async function adoptedAlive(engine: Engine) {
  const adopted = await adoptedNow(engine);
  const starts = await Promise.all(adopted.map(({ pid }) => readStart(engine.host, pid)));
  return adopted.filter(({ startTicks }, index) => starts[index] === startTicks);
}

function refuseTaken({ pid, name }: AdoptionRequest, { names, pids }: Taken): void {
  const known = pids.get(pid);
  if (known !== undefined) throw new UsageError(`Process ${pid} is ${known}.`);
  const owner = names.get(name);
  if (owner !== undefined)
    throw new UsageError(`--as ${name}: ${owner} has this name.`, { next: ['Choose another one.'] });
}

/** Its threads, in the order of their start; none when it has ended, also when its number went to another process. */
async function readSame(host: HostReader, pid: number, startTicks: string): Promise<TaskLook[]> {
  return (await readStart(host, pid)) === startTicks ? readTasks(host, pid) : [];
}

interface Wanted {
  readonly name: string;
  readonly placed: PlacedProcess;
  readonly wishes: readonly AdoptionWish[];
}

/** To its CPU first: a realtime thread must not spin for a moment where others live. */
function settingsOf({ name, placed, wishes }: Wanted, tasks: readonly TaskLook[]): Setting[] {
  const { matched } = matchThreads(placed.threads, tasks);
  const counts = new Map<string, number>();
  return matched.flatMap(({ rule, task, cpus }): Setting[] => {
    const nth = (counts.get(task.name) ?? 0) + 1;
    counts.set(task.name, nth);
    const about = `${name}/${task.name.replaceAll(/\s+/g, '-')}${nth === 1 ? '' : `#${nth}`}`;
    const place = { pid: task.tid, startTicks: Number(task.startTicks) };
    const common = { stage: 'values', why: rule.why, ifRefused: 'skip', disruption: 'process' } as const;
    const isAsked = wishes.some((wish) => wish.name === rule.name && wish.scheduling !== undefined);
    const affinity: Setting = {
      id: `adopt.cpus@${about}`,
      tunable: { kind: 'thread-affinity', ...place },
      value: printCpulist(cpus),
      ...common,
    };
    const scheduling: Setting = {
      id: `adopt.policy@${about}`,
      tunable: { kind: 'thread-scheduling', ...place },
      value: sayScheduling(rule.scheduling),
      ...common,
    };
    return isAsked ? [affinity, scheduling] : [affinity];
  });
}

/** A logger that a realtime thread starts is an ordinary one. */
function sayScheduling({ policy, priority, nice }: Scheduling): string {
  return policy === 'fifo' || policy === 'rr' ? `${policy} ${priority} reset-on-fork` : `${policy} nice ${nice ?? 0}`;
}
