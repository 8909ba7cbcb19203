import { readRun } from '../engine/journal.ts';
import { HftError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import type { StateDirectory } from '../host/state-directory.ts';

/** What the guard of a run is started with. */
export interface GuardStart {
  readonly host: Host;
  readonly state: StateDirectory;
  /** How this hft is started again: `/usr/bin/hft`. */
  readonly command: string;
  /** PATH of whoever asked: where Node is, for an hft without one of its own. */
  readonly searchPath: string | undefined;
  /** How long it may take to be at work; an emulated machine takes ten seconds to start Node. */
  readonly startWithinMs?: number;
}

const START_WITHIN_MS = 120_000;
/** The change waits for it, and one file is read. */
const PERIOD_MS = 20;

/**
 * Starts the process that takes an unconfirmed run back, and waits until it says in the journal that it watches this run:
 * that a process was started proves neither that it runs nor that it looks at this journal. It must outlive the
 * session that is about to be cut, so it is a transient unit where there is systemd (systemd-run(1)), started again if
 * it dies, else a process in a session of its own.
 */
export async function armGuard(start: GuardStart, run: string): Promise<void> {
  const { host, state, command, searchPath, startWithinMs = START_WITHIN_MS } = start;
  const environment = [`HFT_STATE_DIR=${state.path}`, ...(searchPath ? [`PATH=${searchPath}`] : [])];
  const argv = ['env', ...environment, command, 'confirm', '--watch', run];
  const hasSystemd = (await host.list('/run/systemd/system')) !== undefined;
  const unit = `hft-guard-${run.toLowerCase()}`;
  const again = ['--property=Restart=on-failure', '--property=RestartSec=3'];
  const missing = () => new GuardMissing(hasSystemd ? `journalctl -u ${unit}` : argv.join(' '));
  if (hasSystemd) {
    const started = await host.execute([
      ...['systemd-run', '--quiet', '--collect', `--unit=${unit}`, ...again],
      ...argv,
    ]);
    if (!started.found || started.exitCode !== 0) throw missing();
  } else await host.start(argv);
  const deadlineMs = performance.now() + startWithinMs;
  while ((await readRun(state, run))?.watched !== true) {
    if (performance.now() > deadlineMs) throw missing();
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}

/** Without its guard a change that can cut the session must not be made. */
class GuardMissing extends HftError {
  constructor(whatTells: string) {
    super('The guard, which would take this change back if the host were lost, did not start.', {
      exitCode: 3,
      next: [
        `What the run had changed was undone. See \`${whatTells}\`, or leave the session's interface out with --skip nic,irq.`,
      ],
    });
  }
}
