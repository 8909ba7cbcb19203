import { chooseHosts } from '../cli/named-host.ts';
import { refuseWaves } from '../cli/rollout-flags.ts';
import { tuneFlags } from '../cli/tune-flags.ts';
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
  static override flags = tuneFlags;

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
