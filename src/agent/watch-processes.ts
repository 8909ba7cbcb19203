import { adoptedNow } from '../engine/adopt.ts';
import type { Adopted } from '../engine/journal.ts';
import type { HostReader } from '../host/host.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import type { BypassLibrary } from '../launch/bypass-facts.ts';
import { readBootIsolated, readPartition } from '../launch/isolated.ts';
import type { IrqLabel, Seen } from '../launch/judge.ts';
import { type Look, type LookRequest, takeLook } from '../launch/look.ts';
import { type LookMemory, newLookMemory } from '../launch/look-memory.ts';
import type { PlacedProcess } from '../launch/placement.ts';
import { adoptedSubject, findSingle, launchedSubjects, type Subject } from '../launch/subject.ts';
import { intersection, union } from '../topology/cpulist.ts';
import { nameTarget } from '../topology/irq-names.ts';
import { readCpulist } from '../topology/kernel-file.ts';
import { readMachine } from '../topology/read.ts';
import { isFixed } from '../tuning/irq/names.ts';
import { readStart } from './find-process.ts';
import { readLaunch } from './launching.ts';
import { pause } from './pause.ts';

/** What is watched here, and what was seen of it. */
export interface Observed extends Seen {
  readonly host: string;
  /** undefined: nothing was launched. */
  readonly deployment: string | undefined;
  readonly gate: 'verify' | 'none' | undefined;
}

/** Where what is watched is written down: what was launched, and what was adopted. */
export interface WatchSite {
  readonly host: HostReader;
  readonly run: StateDirectory;
  readonly state: StateDirectory;
}

export interface WatchRequest {
  readonly everyMs: number;
  /** Whether somebody asks whose interrupts come, and on which nodes memory is at the first look too. */
  readonly isThorough: boolean;
  /** Ends the watch before its time, after two looks. */
  readonly signal?: AbortSignal | undefined;
}

/** Looks at what is watched here for some time; undefined when nothing is. Changes nothing. */
export async function watchProcesses(
  site: WatchSite,
  request: WatchRequest & { readonly durationMs: number },
): Promise<Observed | undefined> {
  const { durationMs, everyMs } = request;
  const looks: Look[] = [];
  let last: Observed | undefined;
  for await (const { look, about } of lookAgainAndAgain(site, request, (looked) =>
    Math.min(looked * everyMs, durationMs),
  )) {
    looks.push(look);
    last = about(looks);
    if (looks.length > 1 && (look.atMs >= durationMs || request.signal?.aborted === true)) return last;
  }
  return undefined;
}

/** What was seen between each look and the one before it, until the signal; nothing when nothing is watched. */
export async function* followProcesses(site: WatchSite, request: WatchRequest): AsyncGenerator<Observed> {
  let before: Look | undefined;
  for await (const { look, about } of lookAgainAndAgain(site, request, (looked) => looked * request.everyMs)) {
    if (before !== undefined) yield about([before, look]);
    before = look;
    if (request.signal?.aborted === true) return;
  }
}

/** Looks each time it is asked to: what was seen between a look and the one before it. Nodes of memory are not looked at, since the kernel
 *  would hold up whoever wants more memory meanwhile. */
export class ProcessWatch {
  readonly #site: WatchSite;
  #watching: Watching | undefined;
  #before: Look | undefined;

  constructor(site: WatchSite) {
    this.#site = site;
  }

  /** With one look, or two that follow each other; undefined when nothing is watched. */
  async look(): Promise<Observed | undefined> {
    // Interrupts get other numbers when a device comes back.
    const isOld = this.#watching === undefined || performance.now() - this.#watching.startMs > LABELS_MS;
    if (isOld) this.#forget();
    this.#watching ??= await begin(this.#site, true);
    const looked = await lookOnce(this.#site, this.#watching, 'none');
    if (looked === undefined) {
      this.#forget();
      return undefined;
    }
    const looks = this.#before === undefined ? [looked.look] : [this.#before, looked.look];
    this.#before = looked.look;
    return looked.about(looks);
  }

  #forget(): void {
    this.#watching = undefined;
    this.#before = undefined;
  }
}

const LABELS_MS = 600_000;

interface Looked {
  readonly look: Look;
  readonly about: (looks: readonly Look[]) => Observed;
}

/** What is kept from one look to the next. */
interface Watching {
  readonly memory: LookMemory;
  readonly name: string;
  /** Read at the first look at something. */
  irqs: ReadonlyMap<number, IrqLabel> | undefined;
  readonly isThorough: boolean;
  /** When the first look at something began. */
  startMs: number;
  adopted: readonly Adopted[];
  looked: number;
}

async function begin({ host }: WatchSite, isThorough: boolean): Promise<Watching> {
  return {
    memory: newLookMemory(),
    name: (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? host.label,
    irqs: isThorough ? undefined : new Map(),
    isThorough,
    startMs: performance.now(),
    adopted: [],
    looked: 0,
  };
}

async function lookOnce(site: WatchSite, watching: Watching, nodes: LookRequest['nodes']): Promise<Looked | undefined> {
  const { host } = site;
  const { memory, isThorough } = watching;
  if (++watching.looked % ADOPTED_EVERY === 1) watching.adopted = await adoptedNow(site);
  const watched = await readWatched(site, watching.adopted);
  if (watched === undefined) return undefined;
  const { cpus } = watched;
  const irqs = watching.irqs ?? (await readIrqLabels(host));
  watching.irqs = irqs;
  if (watching.looked === 1) watching.startMs = performance.now();
  return lookAt(host, watched, {
    frame: { host: watching.name, irqs },
    atMs: performance.now() - watching.startMs,
    exclusive: cpus.exclusive,
    watched: isThorough ? cpus.watched : [],
    nodes,
    memory,
    isThorough,
  });
}

async function* lookAgainAndAgain(
  site: WatchSite,
  { isThorough, signal }: WatchRequest,
  dueMs: (looked: number) => number,
): AsyncGenerator<Looked> {
  const watching = await begin(site, isThorough);
  for (;;) {
    const looked = await lookOnce(site, watching, isThorough || watching.looked > 0 ? 'due' : 'none');
    if (looked === undefined) return;
    yield looked;
    await pause(watching.startMs + dueMs(watching.looked) - performance.now(), signal);
  }
}

/**
 * One look for whoever looks now and then, all day: at the watched processes alone, without the walk through their memory. undefined: nothing
 * is watched.
 */
export async function lookQuietly(
  site: WatchSite,
  { adopted, memory, atMs }: { adopted: readonly Adopted[]; memory: LookMemory; atMs: number },
): Promise<Looked | undefined> {
  const watched = await readWatched(site, adopted);
  if (watched === undefined) return undefined;
  const frame = { host: site.host.label, irqs: new Map<number, IrqLabel>() };
  return lookAt(site.host, watched, { frame, atMs, exclusive: [], watched: [], nodes: 'none', memory });
}

interface Looking extends Omit<LookRequest, 'pids' | 'bypass'> {
  readonly frame: Pick<Observed, 'host' | 'irqs'>;
}

async function lookAt(host: HostReader, watched: Watched, { frame, ...looking }: Looking): Promise<Looked> {
  const { subjects, cpus, deployment, gate, partition } = watched;
  const pids = subjects.flatMap(({ record }) => (record?.phase === 'running' ? (record.pid ?? []) : []));
  const look = await takeLook(host, { ...looking, pids, bypass: findBypasses(subjects) });
  const uptimeS = Number((await host.readText('/proc/uptime'))?.split(' ')[0] ?? 0);
  const about = { ...frame, deployment, gate, subjects, cpus, partition, uptimeS };
  return { look, about: (looks) => ({ ...about, looks }) };
}

/** The journal is read for it. */
const ADOPTED_EVERY = 4;

interface Watched extends Pick<Observed, 'deployment' | 'gate' | 'cpus' | 'partition'> {
  readonly subjects: readonly Subject[];
}

async function readWatched({ host, run }: WatchSite, adopted: readonly Adopted[]): Promise<Watched | undefined> {
  const { order, state } = await readLaunch(run, host);
  if (order === undefined && adopted.length === 0) return undefined;
  const subjects = order === undefined ? [] : launchedSubjects(order, state?.processes ?? []);
  for (const each of adopted)
    subjects.push(adoptedSubject(each, each.placed as PlacedProcess, await readStart(host, each.pid)));
  const partition = await readPartition(host);
  const isolated = union(await readBootIsolated(host), partition?.cpus ?? []);
  const exclusive = intersection(
    union(order?.isolated ?? [], isolated),
    subjects.flatMap(({ placed }) => placed.own),
  );
  const tickless = (await readCpulist(host, '/sys/devices/system/cpu/nohz_full')) ?? [];
  const cpus = { exclusive, isolated, tickless, watched: union(exclusive, findSingle(subjects)) };
  return { subjects, cpus, partition, deployment: order?.deployment, gate: order?.gate };
}

function findBypasses(subjects: readonly Subject[]): ReadonlyMap<number, BypassLibrary> {
  return new Map(
    subjects.flatMap(({ placed, record }) =>
      placed.bypass === undefined || record?.pid === undefined ? [] : [[record.pid, placed.bypass.library] as const],
    ),
  );
}

/** What the interrupts of this machine are, by their numbers. */
async function readIrqLabels(host: HostReader): Promise<ReadonlyMap<number, IrqLabel>> {
  const { irqs } = await readMachine(host);
  return new Map(irqs.map((irq) => [irq.irq, { name: nameTarget(irq), isManaged: irq.managed || isFixed(irq) }]));
}
