import type { LocalStatus } from '../agent/local-status.ts';
import { hostFlags } from '../cli/host-flag.ts';
import type { NamedHost } from '../cli/named-host.ts';
import { openRemote } from '../cli/open-host.ts';
import { briefStatus } from '../views/brief.ts';
import type { Terminal } from '../views/terminal.ts';
import { BaseCommand } from './base.ts';

export default class StatusCommand extends BaseCommand {
  static override summary = 'Show the profile in force, drift since, and what waits for a reboot';
  static override description =
    'Exit code 0 when all is as hft left it, 1 on drift, on what could not be undone and on what may not start in this boot, 5 when a reboot is pending.';
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status --json',
    '<%= config.bin %> status --inventory tokyo.ini',
  ];

  static override flags = hostFlags;

  async run() {
    const { flags } = await this.parse(StatusCommand);
    const { statusExitCode, statusJson, viewStatus } = await import('../views/status.ts');
    return this.showHosts(flags, async (host) => {
      const status = await readStatus(host);
      const text = (terminal: Terminal) => viewStatus(status, terminal);
      const exitCode = statusExitCode(status);
      return { json: statusJson(status), text, brief: briefStatus(status), hostname: status.host, exitCode };
    });
  }
}

async function readStatus(host: NamedHost | undefined): Promise<LocalStatus> {
  if (host !== undefined) {
    const { control, close } = await openRemote(host);
    return control.status().finally(close);
  }
  const { localStatus } = await import('../agent/local-status.ts');
  return localStatus(process.env);
}
