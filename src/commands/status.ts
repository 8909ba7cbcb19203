import { hostFlag } from '../cli/host-flag.ts';
import { openRemote } from '../cli/open-host.ts';
import { BaseCommand } from './base.ts';

export default class StatusCommand extends BaseCommand {
  static override summary = 'Show the profile in force, drift since, and what waits for a reboot';
  static override description =
    'Exit code 0 when all is as hft left it, 1 on drift, on what could not be undone and on what may not start in this boot, 5 when a reboot is pending.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json'];

  static override flags = { host: hostFlag };

  async run() {
    const { flags } = await this.parse(StatusCommand);
    const { statusJson, viewStatus } = await import('../views/status.ts');
    const status = await this.readStatus(flags.host);
    const differs = [status.drift, status.cutOff, status.notUndone].some((left) => left.length > 0);
    const isWrong = differs || status.launched?.refused !== undefined;
    return this.show(
      statusJson(status),
      (terminal) => viewStatus(status, terminal),
      isWrong ? 1 : status.pendingReboot.length > 0 ? 5 : 0,
    );
  }

  private async readStatus(host: string | undefined) {
    if (host !== undefined) {
      const { control, close } = await openRemote(host);
      return control.status().finally(close);
    }
    const { localStatus } = await import('../agent/local-status.ts');
    return localStatus(process.env);
  }
}
