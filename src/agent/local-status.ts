import { readRuns } from '../engine/journal.ts';
import { readBootId } from '../engine/rollback.ts';
import { readStatus, type Status } from '../engine/status.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { statePath } from './state-path.ts';

/** The status of this machine without the domains and their schemas: `hft status` is typed all day. */
export async function localStatus(environment: Readonly<Record<string, string | undefined>>): Promise<Status> {
  const host = new LocalHost();
  const hostname = (await host.readText('/proc/sys/kernel/hostname'))?.trim() ?? 'localhost';
  const runs = await readRuns(new LocalStateDirectory(statePath(environment)));
  return readStatus(host, runs, { host: hostname, bootId: await readBootId({ host }) });
}
