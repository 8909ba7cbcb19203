import { Flags } from '@oclif/core';
import { readScope, scopeFlags } from '../../cli/scope-flags.ts';
import { openTarget } from '../../cli/target.ts';
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
    snapshot: snapshotFlag,
  };

  async run() {
    const { flags } = await this.parse(VerifySettings);
    const { chooseWanted } = await import('../../cli/wanted.ts');
    const { verifyExitCode } = await import('../../engine/verify.ts');
    const { viewVerification } = await import('../../views/verify.ts');
    const { wanted, scope, locate } = await chooseWanted(this.config, flags);
    const target = await openTarget(this.config, flags.snapshot);
    try {
      const limited = { ...scope, ...(await readScope(flags)) };
      const verification = await locate(() => target.verify(wanted, limited));
      return this.show(
        verification,
        (terminal) => viewVerification(verification, terminal),
        verifyExitCode(verification),
      );
    } finally {
      await target.close();
    }
  }
}
