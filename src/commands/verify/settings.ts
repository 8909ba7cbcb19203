import { Flags } from '@oclif/core';
import { forThisMachine, hostFlags } from '../../cli/host-flag.ts';
import { readScope, scopeFlags } from '../../cli/scope-flags.ts';
import type { Terminal } from '../../views/terminal.ts';
import { BaseCommand, snapshotFlag } from '../base.ts';

export default class VerifySettings extends BaseCommand {
  static override summary = 'Verify that every setting of a profile is in effect';
  static override description =
    'Looks at effects, not at text: isolated CPUs in sysfs, interrupts by effective affinity. Without --profile: the profile in force. Exit code 0 as wanted, 1 something differs or could not be read, 5 right but for a reboot.';
  static override examples = [
    '<%= config.bin %> verify settings',
    '<%= config.bin %> verify settings --profile colo --json',
  ];
  static override flags = {
    profile: Flags.string({ char: 'p', helpValue: 'NAME', summary: 'A shipped profile, or a YAML file' }),
    ...scopeFlags,
    ...hostFlags,
    snapshot: { ...snapshotFlag, ...forThisMachine },
  };

  async run() {
    const { flags } = await this.parse(VerifySettings);
    const { settingsVerifier } = await import('../../cli/verify.ts');
    const { briefVerification } = await import('../../views/brief.ts');
    const { verifyExitCode } = await import('../../engine/verify.ts');
    const { viewVerification } = await import('../../views/verify.ts');
    const verify = await settingsVerifier(this.config, flags, await readScope(flags));
    return this.showHosts(flags, async (host) => {
      const json = await verify(host);
      const text = (terminal: Terminal) => viewVerification(json, terminal);
      return { json, text, brief: briefVerification(json), hostname: json.host, exitCode: verifyExitCode(json) };
    });
  }
}
