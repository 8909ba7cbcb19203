import { Flags } from '@oclif/core';
import { parseSeconds } from '../../cli/duration.ts';
import { hostFlags } from '../../cli/host-flag.ts';
import type { Terminal } from '../../views/terminal.ts';
import { BaseCommand } from '../base.ts';

export default class VerifyProcesses extends BaseCommand {
  static override summary = 'Verify that launched processes are where they were placed, and that nobody else is';
  static override description =
    'Looks twice a second at every thread (CPUs, policy, priority, migrations, page faults, involuntary switches), at the memory of each process (locked, swapped, NUMA node), and at strangers on its CPUs. Exit code 0 as placed, 1 something differs or could not be read.';
  static override examples = [
    '<%= config.bin %> verify processes',
    '<%= config.bin %> verify processes --duration 60s --json',
  ];
  static override flags = {
    duration: Flags.string({ default: '10s', helpValue: 'TIME', summary: 'How long to look' }),
    ...hostFlags,
  };

  async run() {
    const { flags } = await this.parse(VerifyProcesses);
    const { processesVerifier } = await import('../../cli/verify-remote.ts');
    const { verifyExitCode } = await import('../../engine/verify.ts');
    const { briefVerification } = await import('../../views/brief.ts');
    const { viewVerification } = await import('../../views/verify.ts');
    const verify = await processesVerifier(this.config.root, parseSeconds('--duration', flags.duration), flags);
    return this.showHosts(flags, async (host) => {
      const json = await verify(host);
      const text = (terminal: Terminal) => viewVerification(json, terminal);
      return { json, text, brief: briefVerification(json), hostname: json.host, exitCode: verifyExitCode(json) };
    });
  }
}
