import { randomBytes } from 'node:crypto';
import { readOrder } from '../agent/launch-files.ts';
import type { LaunchSite } from '../agent/launching.ts';
import { launchPath, runPath } from '../agent/run-path.ts';
import { startSupervisor } from '../agent/start-supervisor.ts';
import { statePath } from '../agent/state-path.ts';
import { LocalHost } from '../host/local.ts';
import { LocalStateDirectory } from '../host/local-state.ts';

/** This machine, as far as launching is concerned. `root`: the folder of this hft. */
export function openLaunchSite(root: string, host = new LocalHost()): LaunchSite {
  const { env } = process;
  const run = new LocalStateDirectory(launchPath(env));
  const probe = `${root}/dist/hft-probe`;
  return {
    host,
    run,
    probe,
    state: new LocalStateDirectory(statePath(env)),
    now: () => new Date(),
    startSupervisor: async () =>
      startSupervisor({
        host,
        probe,
        command: `${root}/bin/hft`,
        run: runPath(env),
        state: statePath(env),
        searchPath: env.PATH,
        housekeeping: (await readOrder(run))?.housekeeping ?? [],
      }),
  };
}

/** The supervisor itself: what `hft launch` starts. */
export async function superviseHere(root: string): Promise<void> {
  const { superviseProcesses } = await import('../agent/supervisor.ts');
  const { host, run, probe } = openLaunchSite(root);
  const nowMs = () => Number(process.hrtime.bigint() / 1_000_000n);
  await superviseProcesses({ host, run, probe, nowMs, newToken: () => randomBytes(12).toString('hex') });
}

/** Who typed it, for the record of launches. */
export function whoAsks(): string {
  return process.env.SUDO_USER ?? process.env.USER ?? `uid ${process.getuid?.()}`;
}
