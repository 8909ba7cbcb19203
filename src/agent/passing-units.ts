import type { StateDirectory } from '../host/state-directory.ts';
import { UNIT_FOLDER } from '../launch/units.ts';
import { endUnitRun, findHeldUnits, settleUnits, takeBackUnits, type UnitSite, writeUnits } from './unit-files.ts';
import { showUnits } from './units.ts';

/** Unit files that end with the boot. One of the same name in /etc counts for more. systemd.unit(5). */
const PASSING_FOLDER = '/run/systemd/system';

/** `run`: where what ends with the boot is written down. */
export interface PassingSite extends UnitSite {
  readonly run: StateDirectory;
}

/**
 * Before the units of what runs are taken away: a copy of each that the reboot takes. A service without its file goes on, but systemd hears its
 * watchdog no more and kills it for that. False where nothing runs: then it does nothing.
 */
export async function keepUnitsForThisBoot(site: PassingSite): Promise<boolean> {
  const held = [...(await findHeldUnits(site.kept))];
  const names = held.map(([path]) => path.slice(UNIT_FOLDER.length + 1)).filter((name) => !name.includes('/'));
  const states = [...(await showUnits(site.host, names)).values()].map(({ ActiveState }) => ActiveState ?? '');
  if (!states.some((state) => ['active', 'activating', 'reloading', 'deactivating'].includes(state))) return false;
  const files = held.map(([path, text]) => ({ path: PASSING_FOLDER + path.slice(UNIT_FOLDER.length), text }));
  const passing = { ...site, kept: site.run };
  // One that was cut off had not begun with those in /etc.
  await settleUnits(passing, undefined);
  const run = await writeUnits(passing, files, 'until the reboot');
  if (run !== undefined) await endUnitRun(passing, run);
  return true;
}

/** Paths of the copies that are there. */
export async function listPassingUnits({ run }: Pick<PassingSite, 'run'>): Promise<ReadonlySet<string>> {
  return new Set((await findHeldUnits(run)).keys());
}

/** When nothing runs by them any more, or their like is in /etc again. */
export async function forgetPassingUnits(site: PassingSite): Promise<void> {
  await takeBackUnits({ ...site, kept: site.run });
}
