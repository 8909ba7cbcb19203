import { HftError, HostError } from '../errors.ts';
import { readBootId } from '../host/process-identity.ts';
import type { LaunchOrder } from '../launch/order.ts';
import {
  GATE,
  KEEPER,
  launchUnits,
  needsKeeper,
  permit,
  TARGET,
  TUNE,
  UNIT_FOLDER,
  type UnitFile,
  unitName,
} from '../launch/units.ts';
import { forgetEnvironments, variablesInUse } from './environment-files.ts';
import { forgetOrder, writeOrder } from './launch-files.ts';
import type { LaunchSite } from './launching.ts';
import { forgetPassingUnits, listPassingUnits, type PassingSite } from './passing-units.ts';
import { endUnitRun, findHeldUnits, takeBackUnits, undoUnitRun, writeUnits } from './unit-files.ts';
import { refuseOthersUnits, requireLoaded, showUnits, startUnits, stopUnits } from './units.ts';

export function unitSiteOf({ host, kept, run, version, now, nameRun }: LaunchSite): PassingSite {
  return { host, kept, run, version, now, nameRun, bootId: readBootId() };
}

/** Whether systemd runs what is launched here: it is the init of this host, and this hft may write its units. */
export async function isRunBySystemd({ host, ownsHost }: Pick<LaunchSite, 'host' | 'ownsHost'>): Promise<boolean> {
  return ownsHost && (await host.list('/run/systemd/system')) !== undefined;
}

/**
 * Makes an order so: its units, then the order, then the start. Of an hft that dies before the order is written the next one takes the units
 * back; after that, it goes on from there. Throws with everything as before. `before`: the order that held until now.
 */
export async function launchByUnits(
  site: LaunchSite,
  order: LaunchOrder,
  before: LaunchOrder | undefined,
): Promise<LaunchOrder> {
  const { host } = site;
  const services = ordered(order, 'up');
  await refuseOthersUnits(host, services, await listPassingUnits(site));
  const keeper = needsKeeper(wishOf(order)) ? [KEEPER] : [];
  const started = await listDown(site, [...services, ...keeper]);
  const unitSite = unitSiteOf(site);
  const run = await writeUnits(unitSite, await unitsOf(site, order), order.deployment);
  const kept = { ...order, run: run ?? before?.run };
  try {
    await requireLoaded(host, services);
    await keepOrder(site, kept);
    if (run !== undefined) await endUnitRun(unitSite, run);
    await host.makeFolder(site.run.path);
    await site.run.replace(permit(order.bootId), '');
    await startUnits(host, started);
    if (keeper.length === 0 && before !== undefined) await stopUnits(host, [KEEPER]);
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    await undoLaunch(site, { run, before, started });
    throw error;
  }
  await forgetPassingUnits(unitSite);
  await forgetUnused(site, kept);
  return kept;
}

interface Launching {
  readonly run: string | undefined;
  readonly before: LaunchOrder | undefined;
  /** Units that did not run before. */
  readonly started: readonly string[];
}

async function undoLaunch(site: LaunchSite, { run, before, started }: Launching): Promise<void> {
  try {
    await stopUnits(site.host, started);
    await keepOrder(site, before);
    const undone = run === undefined ? undefined : await undoUnitRun(unitSiteOf(site), run);
    if (undone?.complete !== false) return;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
  throw new HftError('Nothing was started, and not everything could be put back.', {
    exitCode: 4,
    next: ['`hft stop` ends what was started and takes the units away.'],
  });
}

/** Ends processes and takes their units away, all of them when nobody is to run any more. `order`: as it is to be from now on. */
export async function stopByUnits(site: LaunchSite, order: LaunchOrder): Promise<void> {
  const { host } = site;
  // After a rollback of everything nothing is to start with the next boot, and what is left goes on until then.
  const isPassing = (await findHeldUnits(site.kept)).size === 0;
  if (isPassing) await writeOrder(site.run, order);
  else await keepOrder(site, order);
  const isLast = ordered(order, 'up').length === 0;
  // Who watches would start again what waits for others.
  const watchers = isLast ? [KEEPER] : [];
  const left = await stopUnits(host, [...watchers, ...ordered(order, 'down')]);
  if (left.length > 0) return;
  if (isLast) await takeAllBack(site);
  else if (!isPassing) {
    const run = await writeUnits(unitSiteOf(site), await unitsOf(site, order), order.deployment);
    if (run !== undefined) {
      await keepOrder(site, { ...order, run });
      await endUnitRun(unitSiteOf(site), run);
    }
  }
  await host.execute(['systemctl', 'reset-failed', ...ordered(order, 'down')]);
  await forgetUnused(site, order);
}

async function takeAllBack(site: LaunchSite): Promise<void> {
  // The target stays that of the tune; without processes it is not up.
  await stopUnits(site.host, [TARGET, GATE]);
  const reports = await takeBackUnits(unitSiteOf(site));
  await forgetPassingUnits(unitSiteOf(site));
  await forgetOrder(site.kept);
  const steps = reports.flatMap((report) => report.steps);
  const left = steps.filter(({ outcome }) => outcome === 'kept' || outcome === 'failed');
  if (left.length === 0) return;
  const names = [...new Set(left.map(({ id }) => id.slice(id.indexOf('@') + 1)))];
  throw new HftError(
    `The processes are down. Not taken away, since somebody changed it or it cannot be written: ${names.join(', ')}.`,
    { exitCode: 4, next: [`See ${UNIT_FOLDER}, and remove it by hand.`] },
  );
}

/** Where the boot finds it, then where everybody looks. undefined: there was none. */
export async function keepOrder(
  { kept, run }: Pick<LaunchSite, 'kept' | 'run'>,
  order: LaunchOrder | undefined,
): Promise<void> {
  if (order === undefined) {
    await forgetOrder(kept);
    await forgetOrder(run);
    return;
  }
  if (order.engine === 'systemd') await writeOrder(kept, order);
  await writeOrder(run, order);
}

/** What an order comes to in units. */
export async function unitsOf(site: LaunchSite, order: LaunchOrder): Promise<UnitFile[]> {
  const { host, probe, command, run, state } = site;
  const isTuned = (await host.readText(`${UNIT_FOLDER}/${TUNE}`)) !== undefined;
  const places = { probe, command, run: run.path, state: state.path };
  return launchUnits({ ...wishOf(order), ...places, isTuned });
}

function wishOf({ deployment, heal, processes, placement, housekeeping }: LaunchOrder) {
  return {
    deployment: {
      name: deployment,
      heal,
      processes: Object.fromEntries(processes.map(({ name, wanted }) => [name, wanted])),
    },
    placement,
    housekeeping,
    names: processes.flatMap(({ name, goal }) => (goal === 'up' ? [name] : [])),
    environmentFiles: Object.fromEntries(
      processes.flatMap(({ name, environmentFile }) =>
        environmentFile === undefined ? [] : [[name, environmentFile]],
      ),
    ),
  };
}

function ordered({ processes }: LaunchOrder, goal: 'up' | 'down'): string[] {
  return processes.flatMap((process) => (process.goal === goal ? [unitName(process.name)] : []));
}

async function listDown({ host }: LaunchSite, names: readonly string[]): Promise<string[]> {
  const units = await showUnits(host, names);
  const runs = ['active', 'activating', 'reloading'];
  return names.filter((name) => !runs.includes(units.get(name)?.ActiveState ?? ''));
}

async function forgetUnused({ kept }: LaunchSite, order: LaunchOrder): Promise<void> {
  await forgetEnvironments(kept, variablesInUse(order));
}
