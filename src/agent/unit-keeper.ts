import type { OrderedProcess } from '../launch/order.ts';
import type { ProcessRecord } from '../launch/supervision.ts';
import { unitName } from '../launch/units.ts';
import { readOrder } from './launch-files.ts';
import { Watch } from './process-watch.ts';
import type { SupervisorSite } from './supervisor.ts';
import { readUnitRecords } from './units.ts';

/** Asking systemd starts a process, so it is done rarely: on housekeeping CPUs, where this runs. */
const LOOK_MS = 1_000;

/**
 * What systemd has no means for: health checks that are repeated, threads that are put back, the start of what waited for another process.
 * Ends when another engine has taken over, or nothing is ordered. Its own end changes nothing: systemd starts it again.
 */
export async function keepUnits(site: SupervisorSite): Promise<void> {
  const watches = new Map<string, Watch>();
  while (await keepOnce(site, watches)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

/** One look at everything. False when there is nothing to watch for. */
export async function keepOnce(site: SupervisorSite, watches: Map<string, Watch>): Promise<boolean> {
  const order = await readOrder(site.run);
  if (order?.engine !== 'systemd') return false;
  const records = order.refused === undefined ? await readUnitRecords(site.host, order) : [];
  for (const process of order.processes) {
    const record = records.find(({ name }) => name === process.name);
    if (record === undefined || process.goal === 'down') continue;
    const watch = watches.get(process.name) ?? new Watch(site, process.name);
    watches.set(process.name, watch);
    if (record.phase === 'running') await watchOne(site, { process, record, watch, heals: order.heal });
    else watch.forgetChecks();
    if (record.phase === 'waiting') await startWaiting(site, process, records);
  }
  return true;
}

interface Watched {
  readonly process: OrderedProcess;
  readonly record: ProcessRecord;
  readonly watch: Watch;
  readonly heals: boolean;
}

/** A process that fails its checks is ended and counts as failed: started again, within what its breaker allows. */
async function watchOne({ host }: SupervisorSite, { process, record, watch, heals }: Watched): Promise<void> {
  const { health, restart } = process.wanted;
  if (health !== undefined && watch.failedChecks(record) >= health.failures) {
    watch.forgetChecks();
    const verb = restart.when === 'never' ? 'stop' : 'restart';
    await host.execute(['systemctl', '--no-block', verb, unitName(process.name)]);
    return;
  }
  watch.look(process, record, heals);
}

/** A condition that was not met is asked once by systemd; here until all that it requires runs. */
async function startWaiting(
  { host }: SupervisorSite,
  { name, wanted }: OrderedProcess,
  records: readonly ProcessRecord[],
): Promise<void> {
  const runs = (other: string) => records.some((record) => record.name === other && record.phase === 'running');
  if (!wanted.requires.every(runs)) return;
  await host.execute(['systemctl', '--no-block', 'start', unitName(name)]);
}
