import { Flags } from '@oclif/core';
import { confirmWithinFlag } from '../cli/duration.ts';
import { hostFlags } from '../cli/host-flag.ts';
import { chooseHosts } from '../cli/named-host.ts';
import { refuseWaves, rolloutFlags } from '../cli/rollout-flags.ts';
import { scopeFlags } from '../cli/scope-flags.ts';
import { briefPlan } from '../views/brief.ts';
import type { Terminal } from '../views/terminal.ts';
import { BaseCommand } from './base.ts';

export default class Tune extends BaseCommand {
  static override summary = 'Bring this host to a profile: plan, ask, apply, plan again';
  static override description =
    'Shows the plan first and changes nothing unasked. Every change is journaled before it is made and read back after; a failure undoes all of it. Exit code 0 as wanted, 1 something still differs, 3 failed and everything undone, 4 failed and not everything undone, 5 right but for a reboot. Without root: shows the plan.';
  static override examples = [
    '<%= config.bin %> tune --profile colo',
    '<%= config.bin %> tune --profile colo --yes --reboot',
    '<%= config.bin %> tune --profile colo --host box7',
    '<%= config.bin %> tune --profile colo --inventory tokyo.ini --canary 1 --wave 10% --max-fail 1',
    '<%= config.bin %> tune --resume last',
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
    ...hostFlags,
    ...rolloutFlags,
    'confirm-within': confirmWithinFlag,
    reboot: Flags.boolean({ summary: 'Reboot at the end when a kernel argument needs it' }),
    persist: Flags.boolean({ default: true, allowNo: true, summary: 'Put the profile back after every boot' }),
    boot: Flags.boolean({
      hidden: true,
      summary: 'Put the profile in force back (started at boot)',
      exclusive: ['host', 'inventory'],
    }),
  };

  async run() {
    const { flags } = await this.parse(Tune);
    const chosen = await chooseHosts(flags);
    const dialogue = { terminal: this.terminal, report: (text: string) => this.logToStderr(text) };
    if (flags.resume !== undefined || (chosen.is === 'many' && !flags['dry-run'])) {
      const { resumeRollout, rollOut, rolloutExitCode } = await import('../cli/rollout.ts');
      const { rolloutJson, viewRollout } = await import('../views/rollout.ts');
      const rollout =
        chosen.is === 'many'
          ? await rollOut(this.config, { ...flags, host: undefined }, { chosen, dialogue })
          : await resumeRollout(flags.resume as string, dialogue);
      const exitCode = rolloutExitCode(rollout);
      return this.show(rolloutJson(rollout, exitCode), (terminal) => viewRollout(rollout, terminal), exitCode);
    }
    if (chosen.is === 'one') refuseWaves(flags);
    const { tuneAtBoot, tuneHost } = await import('../cli/tune.ts');
    const { tuneJson, viewTuned } = await import('../views/tuned.ts');
    return this.showHosts(flags, async (host) => {
      const one = { ...flags, host };
      const tuned = await (flags.boot ? tuneAtBoot(this.config, one) : tuneHost(this.config, one, dialogue));
      const { plan, exitCode } = tuned;
      const text = (terminal: Terminal) => viewTuned(tuned, terminal);
      return { json: tuneJson(tuned), text, brief: briefPlan(plan), hostname: plan.host, exitCode };
    });
  }
}
