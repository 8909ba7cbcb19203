import { HftError } from '../errors.ts';
import { readBootId } from '../host/process-identity.ts';
import type { LaunchOrder } from '../launch/order.ts';
import { permit, processOfUnit } from '../launch/units.ts';
import { readKeptOrder } from './launch-files.ts';
import { keepOrder } from './launch-units.ts';
import type { LaunchSite } from './launching.ts';
import { findCutOff, findHeldUnits } from './unit-files.ts';

/**
 * What hft-gate.service does at boot: lets the processes start that were running, on a host that is fit. Where it is not, nothing of this
 * boot may start, and the order says why to `hft ps`. `look` throws an HftError with the reason.
 */
export async function passGate(site: LaunchSite, look: (order: LaunchOrder) => Promise<void>): Promise<LaunchOrder> {
  const kept = await readKeptOrder(site.kept);
  if (kept === undefined) throw new HftError('Nothing was launched on this host.', { exitCode: 1 });
  const { refused: _, ...rest } = kept;
  const order = { ...rest, bootId: readBootId() };
  try {
    await refuseHalfDone(site, order);
    await look(order);
  } catch (error) {
    if (error instanceof HftError) await keepOrder(site, { ...order, refused: error.message });
    throw error;
  }
  await keepOrder(site, order);
  await site.host.makeFolder(site.run.path);
  await site.run.replace(permit(order.bootId), '');
  return order;
}

/** systemd has loaded what is there: of a launch or a stop that was cut off it is neither what was nor what was to be. */
async function refuseHalfDone({ kept }: LaunchSite, { run, processes }: LaunchOrder): Promise<void> {
  const open = (await findCutOff(kept)).find((each) => each.run !== run);
  const units = [...(await findHeldUnits(kept)).keys()].flatMap((path) => processOfUnit(path) ?? []);
  const up = processes.flatMap(({ name, goal }) => (goal === 'up' ? [name] : []));
  const isWhole = units.length === up.length && units.every((name) => up.includes(name));
  if (open === undefined && isWhole) return;
  throw new HftError('Nothing was started: an `hft launch` or `hft stop` was cut off before this boot.', {
    exitCode: 1,
    next: ['`hft launch FILE` or `hft stop` settles it.'],
  });
}
