import type { HostReader } from '../host/host.ts';
import type { StateDirectory } from '../host/state-directory.ts';
import { readIsolated } from '../launch/isolated.ts';
import { type Look, takeLook } from '../launch/look.ts';
import type { LaunchOrder } from '../launch/order.ts';
import type { ProcessRecord } from '../launch/supervision.ts';
import { intersection } from '../topology/cpulist.ts';
import { readLaunch } from './launching.ts';

/** What was launched, and what was seen of it. */
export interface Observed {
  readonly host: string;
  readonly order: LaunchOrder;
  readonly records: readonly ProcessRecord[];
  /** In the order of time, at least two. */
  readonly looks: readonly Look[];
  /** CPUs that processes have to themselves. */
  readonly exclusive: readonly number[];
  /** Those that the running kernel isolates. */
  readonly isolated: readonly number[];
  /** Since boot, at the last look. */
  readonly uptimeS: number;
}

export interface WatchRequest {
  readonly durationMs: number;
  readonly everyMs: number;
  /** Ends the watch before its time, after two looks. */
  readonly signal?: AbortSignal | undefined;
}

/** Looks at what was launched here for some time; undefined when nothing was. Changes nothing. */
export async function watchProcesses(
  reader: HostReader,
  run: StateDirectory,
  { durationMs, everyMs, signal }: WatchRequest,
): Promise<Observed | undefined> {
  const { order, state } = await readLaunch(run, reader);
  if (order === undefined) return undefined;
  const records = state?.processes ?? [];
  const pids = records.flatMap(({ phase, pid }) => (phase === 'running' && pid !== undefined ? [pid] : []));
  const own = order.placement.processes.flatMap((process) => process.own);
  const exclusive = intersection(order.isolated, own);
  const looks: Look[] = [];
  const startMs = performance.now();
  for (;;) {
    const atMs = performance.now() - startMs;
    // The kernel walks all of a process's memory for it: at the last look alone.
    const isLast = looks.length > 0 && (atMs >= durationMs || signal?.aborted === true);
    looks.push(await takeLook(reader, { atMs, pids, exclusive, withNodes: isLast }));
    if (isLast) break;
    const untilMs = Math.min(looks.length * everyMs, durationMs);
    await pause(startMs + untilMs - performance.now(), signal);
  }
  const uptimeS = Number((await reader.readText('/proc/uptime'))?.split(' ')[0] ?? 0);
  const host = (await reader.readText('/proc/sys/kernel/hostname'))?.trim() ?? reader.label;
  return { host, order, records, looks, exclusive, isolated: await readIsolated(reader), uptimeS };
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
