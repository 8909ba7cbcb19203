import { Args, Flags } from '@oclif/core';
import { BaseCommand } from './base.ts';

export default class SnapshotCommand extends BaseCommand {
  static override summary = 'Capture this machine, for `--snapshot` anywhere else';
  static override description =
    'A tar.gz of plain files with everything that inspect, plan and verify settings read. Changes nothing. As root it holds what only root may read.';
  static override examples = ['<%= config.bin %> snapshot', '<%= config.bin %> snapshot box7.tar.gz --scrub'];
  static override args = { file: Args.string({ description: 'Where to write it; default hft-HOST.tar.gz' }) };
  static override flags = {
    scrub: Flags.boolean({ summary: 'Replace addresses, serial numbers and host names by made-up ones' }),
  };

  async run() {
    const { args, flags } = await this.parse(SnapshotCommand);
    const { captureToFile } = await import('../cli/capture.ts');
    const written = await captureToFile(this.config.root, args.file, flags);
    return this.show(
      written,
      () => `${written.file}: ${written.files} files and ${written.commands} commands of ${written.host}`,
    );
  }
}
