import { readRuns } from '../engine/journal.ts';
import { readBootId } from '../engine/rollback.ts';
import { readStatus, type Status } from '../engine/status.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { readLastVerdict } from './last-latency.ts';
import { statePath } from './state-path.ts';

/** The status of this machine without the domains and their schemas: `hft status` is typed all day. */
export async function localStatus(environment: Readonly<Record<string, string | undefined>>): Promise<Status> {
  const host = new LocalHost();
  const hostname = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? 'localhost';
  const state = new LocalStateDirectory(statePath(environment));
  const [bootId, latency] = [await readBootId({ host }), await readLastVerdict(state)];
  return readStatus(host, await readRuns(state), { host: hostname, bootId, latency });
}
