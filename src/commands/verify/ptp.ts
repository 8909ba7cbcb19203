import { Flags } from '@oclif/core';
import { hostFlags } from '../../cli/host-flag.ts';
import { ptpFlags } from '../../cli/ptp-flags.ts';
import type { PtpReport } from '../../ptp/report.ts';
import type { Terminal } from '../../views/terminal.ts';
import { BaseCommand } from '../base.ts';

const { limit: limitHosts, host, inventory, forks } = hostFlags;

export default class VerifyPtp extends BaseCommand {
  static override summary = 'Verify that this host has the time of its grandmaster, and how far it can be from UTC';
  static override description =
    'Looks again and again: only what is seen to move counts, since a dead grandmaster leaves its last offset behind. Asks every ptp4l that runs here (or the one at --socket), reads the PTP clock beside the system clock, finds who steers them, and sums the errors against UTC beside the limits of RTS 25 and CAT. Exit code 0 as wanted, 1 something is wrong or not known.';
  static override examples = [
    '<%= config.bin %> verify ptp',
    '<%= config.bin %> verify ptp --limit 100ns --json',
    '<%= config.bin %> verify ptp --watch --evidence --metrics /var/lib/node_exporter/hft-ptp.prom',
    '<%= config.bin %> verify ptp --check-evidence',
    '<%= config.bin %> verify ptp --socket /run/ptp4l --domain 24 --grandmaster ec4670.fffe.00a1b2',
  ];
  static override flags = {
    ...ptpFlags,
    // --limit says how far a clock may be off: which hosts of an inventory has another name here.
    ...{ host, inventory, forks, 'limit-hosts': limitHosts },
    'check-evidence': Flags.boolean({
      summary: 'Follow the chain of the evidence log of this host, and nothing else',
      exclusive: ['watch', 'evidence', 'metrics', 'socket'],
    }),
  };

  async run() {
    const { flags } = await this.parse(VerifyPtp);
    const { viewChain, viewLook, viewPtp } = await import('../../views/ptp.ts');
    const { briefVerification } = await import('../../views/brief.ts');
    if (flags['check-evidence'] && flags.host === undefined && flags.inventory === undefined) {
      const { verifyEvidence } = await import('../../cli/verify-ptp.ts');
      const check = await verifyEvidence();
      const isWhole = check.problem === undefined && check.files > 0;
      return this.show(check, (terminal) => viewChain(check, terminal), isWhole ? 0 : 1);
    }
    const { verifyExitCode } = await import('../../engine/verify.ts');
    const { ptpVerifier } = await import('../../cli/verify-remote.ts');
    const say = (look: PtpReport) => this.log(viewLook(look, new Date(), this.terminal));
    const verify = await ptpVerifier(this.config.root, flags, say);
    return this.showHosts({ ...flags, limit: flags['limit-hosts'] }, async (named) => {
      const json = await verify(named);
      const text = (terminal: Terminal) => viewPtp(json, terminal);
      return { json, text, brief: briefVerification(json), hostname: json.host, exitCode: verifyExitCode(json) };
    });
  }
}
