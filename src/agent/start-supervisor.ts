import { HftError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { printCpulist } from '../topology/cpulist.ts';

export interface SupervisorStart {
  readonly host: Host;
  /** How this hft is started again: `/usr/bin/hft`. */
  readonly command: string;
  readonly probe: string;
  readonly run: string;
  readonly state: string;
  /** PATH of whoever asked: where Node is, for an hft without one of its own. */
  readonly searchPath: string | undefined;
  /** Where it may run: it must not disturb what it watches. Empty: anywhere. */
  readonly housekeeping: readonly number[];
}

const UNIT = 'hft-launch';

/**
 * Starts the supervisor, apart from whoever asked for it: where there is systemd as a transient unit that is started again if it dies,
 * and whose end leaves the processes alone (KillMode=process); else in a session of its own.
 */
export async function startSupervisor(start: SupervisorStart): Promise<void> {
  const { host, command, probe, run, state, searchPath, housekeeping } = start;
  const variables = {
    HFT_RUN_DIR: run,
    HFT_STATE_DIR: state,
    LANG: 'C.UTF-8',
    ...(searchPath && { PATH: searchPath }),
  };
  const argv = [
    ...[probe, 'start', '--log', `${run}/launch/supervisor.log`],
    ...(housekeeping.length === 0 ? [] : ['--cpus', printCpulist(housekeeping)]),
    ...Object.entries(variables).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ...['--', '/bin/sh', command, 'launch', '--supervise'],
  ];
  await host.makeFolder(`${run}/launch`);
  if ((await host.list('/run/systemd/system')) === undefined) return host.start(argv);
  const properties = ['KillMode=process', 'Restart=on-failure', 'RestartSec=1'].map((each) => `--property=${each}`);
  const result = await host.execute(['systemd-run', '--quiet', '--collect', `--unit=${UNIT}`, ...properties, ...argv]);
  if (result.found && result.exitCode === 0) return;
  // Asked for twice in a row, the first one is still starting.
  const active = await host.query(['systemctl', 'is-active', `${UNIT}.service`]);
  if (active.found && ['active', 'activating'].includes(active.stdout.trim())) return;
  throw new HftError(
    `The supervisor did not start: ${result.found ? result.stderr.trim() : 'there is no systemd-run'}.`,
    {
      exitCode: 3,
      next: [`See \`journalctl -u ${UNIT}\`.`],
    },
  );
}
