import type { HostReader } from '../host/host.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { readIsolated } from '../launch/isolated.ts';
import type { IrqLabel, Seen } from '../launch/judge.ts';
import { type Look, takeLook } from '../launch/look.ts';
import { newLookMemory } from '../launch/look-memory.ts';
import { launchedSubjects, type Subject } from '../launch/subject.ts';
import { intersection, union } from '../topology/cpulist.ts';
import { nameTarget } from '../topology/irq-names.ts';
import { readCpulist } from '../topology/kernel-file.ts';
import { readMachine } from '../topology/read.ts';
import { isFixed } from '../tuning/irq/names.ts';
import { readLaunch } from './launching.ts';

/** What is watched here, and what was seen of it. */
export interface Observed extends Seen {
  readonly host: string;
  /** undefined: nothing was launched. */
  readonly deployment: string | undefined;
  readonly gate: 'verify' | 'none' | undefined;
}

/** Where what is watched is written down. */
export interface WatchSite {
  readonly host: HostReader;
  readonly run: StateDirectory;
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

interface Looked {
  readonly look: Look;
  readonly about: (looks: readonly Look[]) => Observed;
}

async function* lookAgainAndAgain(
  { host, run }: WatchSite,
  { isThorough, signal }: WatchRequest,
  dueMs: (looked: number) => number,
): AsyncGenerator<Looked> {
  const memory = newLookMemory();
  const name = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? host.label;
  const irqs = isThorough ? await readIrqLabels(host) : new Map<number, IrqLabel>();
  const startMs = performance.now();
  for (let looked = 1; ; looked++) {
    const watched = await readWatched(host, run);
    if (watched === undefined) return;
    const { subjects, cpus, deployment, gate } = watched;
    const atMs = performance.now() - startMs;
    const look = await takeLook(host, {
      atMs,
      pids: subjects.flatMap(({ record }) => (record?.phase === 'running' ? (record.pid ?? []) : [])),
      exclusive: cpus.exclusive,
      watched: isThorough ? cpus.watched : [],
      nodes: isThorough || looked > 1 ? 'due' : 'none',
      memory,
    });
    const uptimeS = Number((await host.readText('/proc/uptime'))?.split(' ')[0] ?? 0);
    yield { look, about: (looks) => ({ host: name, deployment, gate, subjects, cpus, irqs, uptimeS, looks }) };
    await pause(startMs + dueMs(looked) - performance.now(), signal);
  }
}

interface Watched extends Pick<Observed, 'deployment' | 'gate' | 'cpus'> {
  readonly subjects: readonly Subject[];
}

async function readWatched(host: HostReader, run: StateDirectory): Promise<Watched | undefined> {
  const { order, state } = await readLaunch(run);
  if (order === undefined) return undefined;
  const subjects = launchedSubjects(order, state?.processes ?? []);
  const exclusive = intersection(
    order.isolated,
    subjects.flatMap(({ placed }) => placed.own),
  );
  const alone = subjects.flatMap(({ placed }) =>
    placed.threads.filter(({ key, isAlone }) => isAlone && key.kind !== 'rest'),
  );
  const single = alone.flatMap(({ cpus }) => cpus.filter((set) => set.length === 1).flat());
  const isolated = await readIsolated(host);
  const tickless = (await readCpulist(host, '/sys/devices/system/cpu/nohz_full')) ?? [];
  const cpus = { exclusive, isolated, tickless, watched: union(exclusive, single) };
  return { subjects, cpus, deployment: order.deployment, gate: order.gate };
}

/** What the interrupts of this machine are, by their numbers. */
async function readIrqLabels(host: HostReader): Promise<ReadonlyMap<number, IrqLabel>> {
  const { irqs } = await readMachine(host);
  return new Map(irqs.map((irq) => [irq.irq, { name: nameTarget(irq), isManaged: irq.managed || isFixed(irq) }]));
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(ms, 0));
    signal?.addEventListener('abort', end);
  });
}
