import { Args, Flags } from '@oclif/core';
import { unitFlag } from '../../../cli/latency-flags.ts';
import { BaseCommand } from '../../base.ts';

export default class VerifyLatencyCompare extends BaseCommand {
  static override summary = 'Compare two states of a machine by measurements that were saved';
  static override description =
    'A and B are names that `hft verify latency --save NAME` was given, folders of such measurements, or HDR logs (a path has a slash). One measurement of each proves nothing: hours and days differ too. Measure both states in turn, A B A B, at least four times each, adding every run with `--save NAME --append`; then whole runs are relabelled (permutation test over all rows and quantiles). Without names it lists what is saved. Exit code 0 no quantile is worse, 1 B is worse than A, 6 undecided.';
  static override examples = [
    '<%= config.bin %> verify latency compare',
    '<%= config.bin %> verify latency compare stock colo --abab',
    '<%= config.bin %> verify latency compare ./before.hlog ./after.hlog --unit us',
  ];
  static override args = {
    before: Args.string({ description: 'A: a saved measurement, or a path' }),
    after: Args.string({ description: 'B: the same' }),
  };
  static override flags = {
    abab: Flags.boolean({ summary: 'Refuse unless runs of both alternate, four times or more' }),
    tolerance: Flags.string({
      default: '5%',
      helpValue: 'SHARE',
      summary: 'So much longer still counts as not worse',
    }),
    unit: unitFlag,
  };

  async run() {
    const { args, flags } = await this.parse(VerifyLatencyCompare);
    const { compareSaved, listSaved } = await import('../../../cli/latency-compare.ts');
    const { viewComparison, viewSavedList } = await import('../../../views/latency-compare.ts');
    const { before, after } = args;
    if (before === undefined) {
      const saved = await listSaved();
      return this.show({ saved }, (terminal) => viewSavedList(saved, terminal));
    }
    const { result, exitCode } = await compareSaved({ before, after }, flags);
    return this.show(result, (terminal) => viewComparison(result, terminal), exitCode);
  }
}
