import { randomBytes } from 'node:crypto';
import { readOrder } from '../agent/launch-files.ts';
import { isRunBySystemd } from '../agent/launch-units.ts';
import type { LaunchSite } from '../agent/launching.ts';
import { nameRun } from '../agent/name-run.ts';
import { launchPath, runPath } from '../agent/run-path.ts';
import { startSupervisor } from '../agent/start-supervisor.ts';
import { keptPath, statePath } from '../agent/state-path.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';
import { isRoot } from './root.ts';

/** This machine, as far as launching is concerned. `root`: the folder of this hft. `version`: for the journal of who writes to it. */
export function openLaunchSite(root: string, version = 'unknown'): LaunchSite {
  const { env } = process;
  const host = new LocalHost();
  const run = new LocalStateDirectory(launchPath(env));
  const probe = `${root}/dist/hft-probe`;
  const command = `${root}/bin/hft`;
  return {
    host,
    run,
    probe,
    command,
    version,
    nameRun,
    state: new LocalStateDirectory(statePath(env)),
    kept: new LocalStateDirectory(keptPath(env)),
    // Units look in /run/hft: an hft whose folder is elsewhere is a test, or somebody's own.
    ownsHost: isRoot() && runPath(env) === runPath({}),
    now: () => new Date(),
    startSupervisor: async () =>
      startSupervisor({
        host,
        probe,
        command,
        run: runPath(env),
        state: statePath(env),
        searchPath: env.PATH,
        housekeeping: (await readOrder(run))?.housekeeping ?? [],
      }),
  };
}

/** What `hft launch` starts, or systemd: hft's own supervisor, or who watches beside systemd. */
export async function superviseHere(root: string): Promise<void> {
  const site = openLaunchSite(root);
  const { host, run, probe } = site;
  const nowMs = () => Number(process.hrtime.bigint() / 1_000_000n);
  const watched = { host, run, probe, nowMs, newToken: () => randomBytes(12).toString('hex') };
  if (await isRunBySystemd(site)) {
    const { keepUnits } = await import('../agent/unit-keeper.ts');
    return keepUnits(watched);
  }
  const { superviseProcesses } = await import('../agent/supervisor.ts');
  await superviseProcesses(watched);
}

/** Who typed it, for the record of launches. */
export function whoAsks(): string {
  return process.env.SUDO_USER ?? process.env.USER ?? `uid ${process.getuid?.()}`;
}
