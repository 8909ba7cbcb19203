import { needsSupervisor, readLaunch, showKeptOrder, superviseAgain } from '../agent/launching.ts';
import { followProcesses, type Observed, watchProcesses } from '../agent/watch-processes.ts';
import { HostError, UsageError } from '../errors.ts';
import { type Difference, foldDifferences } from '../launch/differences.ts';
import type { Partition } from '../launch/isolated.ts';
import { judgeSeen } from '../launch/judge.ts';
import { type ProcessRow, tabulate } from '../launch/table.ts';
import { openLaunchSite } from './launch-site.ts';

export interface Listing {
  readonly host: string;
  readonly deployment: string | undefined;
  readonly gate: 'verify' | 'none' | undefined;
  readonly rows: readonly ProcessRow[];
  /** The cpuset partition in which processes have threads; undefined: none has any. */
  readonly partition: PartitionUse | undefined;
  /** systemd: that is who runs them. taken-over: it had been killed, and was started again. missing: it was killed, and this user may not start it. */
  readonly supervisor: 'systemd' | 'there' | 'taken-over' | 'missing' | 'not needed';
  /** What is not as it was placed; undefined: nobody asked. */
  readonly differences: readonly Difference[] | undefined;
}

export interface PartitionUse {
  /** As the kernel says it: `isolated`; `none`: it is gone. */
  readonly state: string;
  readonly cpus: readonly number[];
}

/** Rates need two looks. */
const BETWEEN_MS = 1_000;

/** What is watched here, and what its threads do. A supervisor that was killed is started again where `heals`. Throws UsageError when nothing is. */
export async function list(root: string, signal?: AbortSignal, { heals } = { heals: true }): Promise<Listing> {
  const site = openLaunchSite(root);
  const supervisor = await ensureSupervisor(site, heals);
  const request = { durationMs: BETWEEN_MS, everyMs: BETWEEN_MS, isThorough: false, signal };
  const seen = await watchProcesses(site, request);
  if (seen === undefined) throw new NothingWatched();
  return listingOf(seen, supervisor, undefined);
}

/** The same again every second, with what is not as it was placed, until the signal. */
export async function* listAgainAndAgain(root: string, signal: AbortSignal): AsyncGenerator<Listing> {
  const site = openLaunchSite(root);
  let differences: readonly Difference[] = [];
  let isAny = false;
  for await (const seen of followProcesses(site, { everyMs: BETWEEN_MS, isThorough: true, signal })) {
    isAny = true;
    differences = foldDifferences(differences, judgeSeen(seen), site.now().toISOString());
    yield listingOf(seen, await ensureSupervisor(site, true), differences);
  }
  if (!isAny) throw new NothingWatched();
}

function listingOf(
  { host, deployment, gate, ...seen }: Observed,
  supervisor: Listing['supervisor'],
  differences: Listing['differences'],
): Listing {
  const uses = seen.subjects.some(({ placed }) => placed.partition !== undefined);
  const partition = uses ? sayUse(seen.partition) : undefined;
  return { host, deployment, gate, rows: tabulate(seen), partition, supervisor, differences };
}

function sayUse(partition: Partition | undefined): PartitionUse {
  return { state: partition?.state ?? 'none', cpus: partition?.cpus ?? [] };
}

class NothingWatched extends UsageError {
  constructor() {
    super('Nothing was launched here.', {
      next: ['`hft launch FILE` does; `hft adopt PID --as NAME` takes what runs.'],
    });
  }
}

async function ensureSupervisor(
  site: ReturnType<typeof openLaunchSite>,
  heals: boolean,
): Promise<Listing['supervisor']> {
  if (heals) await unlessRefused(() => showKeptOrder(site));
  const launched = await readLaunch(site.run, site.host);
  if (launched.order?.engine === 'systemd') return 'systemd';
  if (!needsSupervisor(launched)) {
    const rests = launched.state?.processes.every(({ phase }) => ['down', 'ended', 'broken'].includes(phase));
    return rests === false ? 'there' : 'not needed';
  }
  if (!heals) return 'missing';
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
