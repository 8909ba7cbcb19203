import { readRuns } from '../engine/journal.ts';
import { readBootId } from '../engine/rollback.ts';
import { readStatus, type Status } from '../engine/status.ts';
import type { HostReader } from '../host/host.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { type DriftRecord, readWatch } from './drift/drift-file.ts';
import { readLastVerdict } from './last-latency.ts';
import { readOrder } from './launch-files.ts';
import { launchPath, runPath } from './run-path.ts';
import { statePath } from './state-path.ts';

/** What was launched, as far as a look at one file tells. */
export interface LaunchedStatus {
  readonly deployment: string;
  /** Why the gate of this boot let nothing start; undefined: it did. */
  readonly refused: string | undefined;
}

export interface LocalStatus extends Status {
  /** undefined: nothing was launched in this boot, or all of it was stopped. */
  readonly launched: LaunchedStatus | undefined;
  /** What the agent of this host knows of drift; undefined: no agent watches. */
  readonly watch: DriftRecord | undefined;
}

/** The status of this machine without the domains and their schemas: `hft status` is typed all day. */
export async function localStatus(
  environment: Readonly<Record<string, string | undefined>>,
  host: HostReader = new LocalHost(),
): Promise<LocalStatus> {
  const hostname = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? 'localhost';
  const state = new LocalStateDirectory(statePath(environment));
  const [bootId, latency] = [await readBootId({ host }), await readLastVerdict(state)];
  const status = await readStatus(host, await readRuns(state), { host: hostname, bootId, latency });
  const watch = await readWatch(new LocalStateDirectory(runPath(environment)));
  return { ...status, launched: await readLaunched(environment), watch };
}

async function readLaunched(environment: Parameters<typeof statePath>[0]): Promise<LaunchedStatus | undefined> {
  const order = await readOrder(new LocalStateDirectory(launchPath(environment)));
  if (order === undefined || order.processes.every(({ goal }) => goal === 'down')) return undefined;
  return { deployment: order.deployment, refused: order.refused };
}
