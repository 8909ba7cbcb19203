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

/** Starts the supervisor, apart from whoever asked for it, in a session of its own. */
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
  await host.start(argv);
}
