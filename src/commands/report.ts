import { Args, Flags } from '@oclif/core';
import { BaseCommand, snapshotFlag } from './base.ts';

export default class ReportCommand extends BaseCommand {
  static override summary = 'Write one page about this host: topology, plan, settings, and the last latency measured';
  static override description =
    'An HTML file that needs nothing else: no network, no scripts; light and dark, and made to be printed. Without --profile: the profile in force. With --json the data is printed, and a page is written only where FILE is given. Changes nothing.';
  static override examples = [
    '<%= config.bin %> report',
    '<%= config.bin %> report --profile colo box7.html',
    '<%= config.bin %> report --profile colo --snapshot box7.tar.gz',
  ];
  static override args = { file: Args.string({ description: 'Where to write it; default hft-report-HOST.html' }) };
  static override flags = {
    profile: Flags.string({ char: 'p', helpValue: 'NAME', summary: 'A shipped profile, or a YAML file' }),
    snapshot: snapshotFlag,
  };

  async run() {
    const { args, flags } = await this.parse(ReportCommand);
    const { collectReport, writeReport } = await import('../cli/report.ts');
    const { reportJson } = await import('../views/report/json.ts');
    const input = await collectReport(this.config, flags);
    const isWritten = !this.jsonEnabled() || args.file !== undefined;
    const file = isWritten ? await writeReport(input, args.file) : null;
    return this.show({ ...reportJson(input), file }, () => `${file}`);
  }
}
