import { Flags } from '@oclif/core';
import { hostFlag } from '../../cli/host-flag.ts';
import { readScope, scopeFlags } from '../../cli/scope-flags.ts';
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
    host: hostFlag,
    snapshot: { ...snapshotFlag, exclusive: ['host'] },
  };

  async run() {
    const { flags } = await this.parse(VerifySettings);
    const { verifySettings } = await import('../../cli/verify.ts');
    const { verifyExitCode } = await import('../../engine/verify.ts');
    const { viewVerification } = await import('../../views/verify.ts');
    const verification = await verifySettings(this.config, flags, await readScope(flags));
    return this.show(
      verification,
      (terminal) => viewVerification(verification, terminal),
      verifyExitCode(verification),
    );
  }
}
