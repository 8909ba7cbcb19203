import { Args } from '@oclif/core';
import { hostFlag } from '../cli/host-flag.ts';
import { BaseCommand } from './base.ts';

export default class Stop extends BaseCommand {
  static override summary = 'Stop processes that hft launched';
  static override description =
    'Each gets its signal and, when it does not end in time, SIGKILL; those that need others end before them. Without names: all. Exit code 0 when they are down, 1 when one is not.';
  static override examples = ['<%= config.bin %> stop', '<%= config.bin %> stop strategy'];
  static override strict = false;
  static override flags = { host: hostFlag };
  static override args = { name: Args.string({ description: 'Processes of the deployment' }) };

  async run() {
    const { argv, flags } = await this.parse(Stop);
    const { stopHost } = await import('../cli/launch-host.ts');
    const { recordJson, viewStopped } = await import('../views/launch.ts');
    const records = await stopHost(this.config, argv as string[], flags.host);
    const exitCode = records.every(({ phase }) => phase === 'down') ? 0 : 1;
    return this.show({ processes: records.map(recordJson) }, (terminal) => viewStopped(records, terminal), exitCode);
  }
}
