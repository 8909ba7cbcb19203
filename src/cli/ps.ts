import { needsSupervisor, readLaunch, showKeptOrder, superviseAgain } from '../agent/launching.ts';
import { watchProcesses } from '../agent/watch-processes.ts';
import { HostError, UsageError } from '../errors.ts';
import { type ProcessRow, tabulate } from '../launch/table.ts';
import { openLaunchSite } from './launch-site.ts';

export interface Listing {
  readonly host: string;
  readonly deployment: string;
  readonly gate: 'verify' | 'none';
  readonly rows: readonly ProcessRow[];
  /** systemd: that is who runs them. taken-over: it had been killed, and was started again. missing: it was killed, and this user may not start it. */
  readonly supervisor: 'systemd' | 'there' | 'taken-over' | 'missing' | 'not needed';
}

/** Rates need two looks. */
const BETWEEN_MS = 1_000;

/** What was launched here, and what its threads do. A supervisor that was killed is started again. Throws UsageError when nothing was. */
export async function list(root: string, signal?: AbortSignal): Promise<Listing> {
  const site = openLaunchSite(root);
  const supervisor = await ensureSupervisor(site);
  const seen = await watchProcesses(site.host, site.run, { durationMs: BETWEEN_MS, everyMs: BETWEEN_MS, signal });
  if (seen === undefined) throw new UsageError('Nothing was launched here.', { next: ['`hft launch FILE` does.'] });
  const { host, order } = seen;
  return { host, deployment: order.deployment, gate: order.gate, rows: tabulate(seen), supervisor };
}

async function ensureSupervisor(site: ReturnType<typeof openLaunchSite>): Promise<Listing['supervisor']> {
  await unlessRefused(() => showKeptOrder(site));
  const launched = await readLaunch(site.run, site.host);
  if (launched.order?.engine === 'systemd') return 'systemd';
  if (!needsSupervisor(launched)) {
    const rests = launched.state?.processes.every(({ phase }) => ['down', 'ended', 'broken'].includes(phase));
    return rests === false ? 'there' : 'not needed';
  }
  const isThere = await unlessRefused(async () => {
    await superviseAgain(site);
    return true;
  });
  return isThere ? 'taken-over' : 'missing';
}

/** undefined: this user may not. */
async function unlessRefused<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof HostError && ['EACCES', 'EPERM', 'EROFS'].includes(error.code)) return undefined;
    throw error;
  }
}
