import { Flags } from '@oclif/core';
import { confirmWithinFlag } from '../cli/duration.ts';
import { hostFlag } from '../cli/host-flag.ts';
import { scopeFlags } from '../cli/scope-flags.ts';
import { BaseCommand } from './base.ts';

export default class Tune extends BaseCommand {
  static override summary = 'Bring this host to a profile: plan, ask, apply, plan again';
  static override description =
    'Shows the plan first and changes nothing unasked. Every change is journaled before it is made and read back after; a failure undoes all of it. Exit code 0 as wanted, 1 something still differs, 3 failed and everything undone, 4 failed and not everything undone, 5 right but for a reboot. Without root: shows the plan.';
  static override examples = [
    '<%= config.bin %> tune --profile colo',
    '<%= config.bin %> tune --profile colo --yes --reboot',
    '<%= config.bin %> tune --profile colo --host box7',
    '<%= config.bin %> tune --profile colo --only irq,nic --confirm-within 2m',
  ];
  static override flags = {
    profile: Flags.string({
      char: 'p',
      helpValue: 'NAME',
      summary: 'A shipped profile, or a YAML file',
      exclusive: ['boot'],
    }),
    yes: Flags.boolean({ char: 'y', summary: 'Apply without asking' }),
    'dry-run': Flags.boolean({ summary: 'Show the plan only' }),
    ...scopeFlags,
    host: hostFlag,
    'confirm-within': confirmWithinFlag,
    reboot: Flags.boolean({ summary: 'Reboot at the end when a kernel argument needs it' }),
    persist: Flags.boolean({ default: true, allowNo: true, summary: 'Put the profile back after every boot' }),
    boot: Flags.boolean({
      hidden: true,
      summary: 'Put the profile in force back (started at boot)',
      exclusive: ['host'],
    }),
  };

  async run() {
    const { flags } = await this.parse(Tune);
    const { tuneAtBoot, tuneHost } = await import('../cli/tune.ts');
    const { tuneJson, viewTuned } = await import('../views/tuned.ts');
    const report = (text: string) => this.logToStderr(text);
    const tuned = flags.boot
      ? await tuneAtBoot(this.config, flags)
      : await tuneHost(this.config, flags, { terminal: this.terminal, report });
    return this.show(tuneJson(tuned), (terminal) => viewTuned(tuned, terminal), tuned.exitCode);
  }
}
