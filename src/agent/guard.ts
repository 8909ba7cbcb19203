import { HftError } from '../errors.ts';
import type { Host } from '../host/host.ts';

/**
 * Starts the process that takes an unconfirmed run back. It must outlive the session that is about to be cut, so it
 * is a transient unit where there is systemd (systemd-run(1)), else a process in a session of its own.
 */
export async function armGuard(host: Host, command: string, run: string): Promise<void> {
  const argv = [command, 'confirm', '--watch', run];
  const hasSystemd = (await host.list('/run/systemd/system')) !== undefined;
  if (!hasSystemd) {
    await host.start(argv);
    return;
  }
  const unit = `hft-guard-${run.toLowerCase()}`;
  await host.execute(['systemd-run', '--quiet', '--collect', `--unit=${unit}`, ...argv]);
  const active = await host.query(['systemctl', 'is-active', unit]);
  if (!active.found || active.stdout.trim() !== 'active') throw new GuardMissing(unit);
}

/** Without its guard a change that can cut the session must not be made. */
class GuardMissing extends HftError {
  constructor(unit: string) {
    super(`The guard ${unit}, which would take this change back if the host were lost, did not start.`, {
      exitCode: 3,
      next: [
        `Nothing was changed. See \`journalctl -u ${unit}\`, or leave the session's interface out with --skip nic,irq.`,
      ],
    });
  }
}
