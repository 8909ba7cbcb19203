import { Args } from '@oclif/core';
import { hostFlags } from '../cli/host-flag.ts';
import type { Terminal } from '../views/terminal.ts';
import { BaseCommand } from './base.ts';

export default class Stop extends BaseCommand {
  static override summary = 'Stop processes that hft launched';
  static override description =
    'Each gets its signal and, when it does not end in time, SIGKILL; those that need others end before them. Without names: all. Exit code 0 when they are down, 1 when one is not.';
  static override examples = ['<%= config.bin %> stop', '<%= config.bin %> stop strategy'];
  static override strict = false;
  static override flags = hostFlags;
  static override args = { name: Args.string({ description: 'Processes of the deployment' }) };

  async run() {
    const { argv, flags } = await this.parse(Stop);
    const { stopHost } = await import('../cli/launch-host.ts');
    const { briefRecords } = await import('../views/brief.ts');
    const { recordJson, viewStopped } = await import('../views/launch.ts');
    return this.showHosts(flags, async (host) => {
      const records = await stopHost(this.config, argv as string[], host);
      const exitCode = records.every(({ phase }) => phase === 'down') ? 0 : 1;
      const text = (terminal: Terminal) => viewStopped(records, terminal);
      return { json: { processes: records.map(recordJson) }, text, brief: briefRecords(records), exitCode };
    });
  }
}
