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
  await host.execute(['systemd-run', '--quiet', '--collect', `--unit=${unit}`, '--property=KillMode=process', ...argv]);
}
