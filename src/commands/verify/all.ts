import { Flags } from '@oclif/core';
import { BaseCommand } from '../base.ts';

const PARTS = ['settings', 'processes', 'ptp', 'dpdk', 'latency'] as const;

export default class VerifyAll extends BaseCommand {
  static override summary = 'Verify settings, processes, PTP, DPDK and latency, one after the other';
  static override description =
    'What each of the other `hft verify` commands answers, with their defaults: PTP and DPDK where the profile has them, processes where some were launched, latency last, by the quick suite. Without --profile: the profile in force. Exit code 0 when all that was verified is right, 1 when something is wrong or could not be told, or there was nothing to verify, 6 when only latency is undecided, 5 right but for a reboot.';
  static override examples = [
    '<%= config.bin %> verify all',
    '<%= config.bin %> verify all --profile colo --skip latency --json',
  ];
  static override flags = {
    profile: Flags.string({ char: 'p', helpValue: 'NAME', summary: 'A shipped profile, or a YAML file' }),
    skip: Flags.option({ multiple: true, options: PARTS })({ summary: 'Leave this part out' }),
  };

  async run() {
    const { flags } = await this.parse(VerifyAll);
    const { verifyAll } = await import('../../cli/verify-all.ts');
    const { viewAllVerified } = await import('../../views/verify-all.ts');
    const { verified, exitCode } = await verifyAll(this.config, flags);
    return this.show(verified, (terminal) => viewAllVerified(verified, terminal), exitCode);
  }
}
