import { Flags } from '@oclif/core';
import { hostFlags } from '../../cli/host-flag.ts';
import type { FixFlags } from '../../cli/latency-fix.ts';
import { fixFlags, ingestFlags, measuringFlags, savedFlags, servingFlags } from '../../cli/latency-flags.ts';
import type { ServeFlags } from '../../cli/latency-serve.ts';
import type { LatencyResult } from '../../latency/report/result.ts';
import { BaseCommand } from '../base.ts';

export default class VerifyLatency extends BaseCommand {
  static override summary = 'Measure how late things happen on this host, and judge it by a profile';
  static override description =
    'Measures any host, tuned or not, and says how far it is from the profile. A limit is met or missed only when the whole 95 % interval is on one side; a percentile with too few samples is n/a. Without --profile: the profile in force, and without one nothing is judged. Ctrl-C ends it and shows what was measured. Exit code 0 as wanted, 1 a limit is missed, 6 undecided.';
  static override examples = [
    '<%= config.bin %> verify latency',
    '<%= config.bin %> verify latency --save stock',
    '<%= config.bin %> verify latency compare stock colo --abab',
    '<%= config.bin %> verify latency --profile colo --probe jitter --probe wakeup --cpus isolated --duration 10m',
    '<%= config.bin %> verify latency --profile colo --probe jitter --fix',
    '<%= config.bin %> verify latency --serve --listen 10.0.0.7',
    '<%= config.bin %> verify latency --probe network --peer 10.0.0.7',
    '<%= config.bin %> verify latency --probe network --peer agent://trade7',
    '<%= config.bin %> verify latency --profile colo --inventory tokyo.ini --save before',
  ];
  static override flags = {
    profile: Flags.string({ char: 'p', helpValue: 'NAME', summary: 'A shipped profile, or a YAML file' }),
    ...measuringFlags,
    ...savedFlags,
    ...fixFlags,
    ...ingestFlags,
    ...servingFlags,
    ...hostFlags,
  };

  async run() {
    const { flags } = await this.parse(VerifyLatency);
    const isHere = flags.host === undefined && flags.inventory === undefined;
    if (flags.serve && isHere) return this.serve(flags);
    if (flags.fix && isHere) return this.fix(flags);
    const { latencyAnswerer } = await import('../../cli/latency-answer.ts');
    const answer = await latencyAnswerer(this.config, flags, (warning) => this.logToStderr(warning));
    return this.showHosts(flags, answer);
  }

  private async serve(flags: ServeFlags) {
    const { serveLatency } = await import('../../cli/latency-serve.ts');
    const { viewServed } = await import('../../views/latency-served.ts');
    const served = await serveLatency(this.config, flags, (line) => this.log(line));
    return this.show(served, () => viewServed(served));
  }

  private async fix(flags: FixFlags) {
    const { measureAndFix } = await import('../../cli/latency-fix.ts');
    const { viewFix } = await import('../../views/latency-fix.ts');
    const { viewLatency } = await import('../../views/latency.ts');
    const showResult = (result: LatencyResult) => this.log(`${viewLatency(result, this.terminal).trimEnd()}\n`);
    const said = { terminal: this.terminal, report: this.logToStderr.bind(this), showResult };
    const { result, exitCode } = await measureAndFix(this.config, flags, said);
    return this.show(result, (terminal) => viewFix(result.fix, terminal), exitCode);
  }
}
