import { Flags } from '@oclif/core';
import { sshHostFlags } from '../../cli/ssh-hosts.ts';
import type { Terminal } from '../../views/terminal.ts';
import { BaseCommand } from '../base.ts';

export default class AgentUninstall extends BaseCommand {
  static override summary = 'Take hft and its agent from hosts, over SSH';
  static override description =
    'The unit, the package, keys, who may ask, the journal; and its key here. Refused while a profile is in force or processes are launched, since what undoes them would be gone. Files of your own in /etc/hft stay, and are named. Exit code 0 gone, 1 something is to be done (--dry-run), 3 refused or failed.';
  static override examples = [
    '<%= config.bin %> agent uninstall --host box7',
    '<%= config.bin %> agent uninstall --inventory tokyo.ini --limit ty-gw-02 --yes',
  ];
  static override flags = {
    ...sshHostFlags,
    'keep-state': Flags.boolean({
      summary: 'Leave /var/lib/hft, and what is in force, for an hft that is installed later',
    }),
  };

  async run() {
    const { flags } = await this.parse(AgentUninstall);
    const { planHostUninstall, uninstallHost } = await import('../../cli/agent-uninstall.ts');
    const { agreeOnWork } = await import('../../cli/ssh-agreement.ts');
    const views = await import('../../views/agent-install.ts');
    const answer = (done: Parameters<typeof views.uninstallJson>[0], exitCode: number) => {
      const text = (terminal: Terminal) => views.viewUninstalled(done, terminal);
      const brief = exitCode === 0 ? 'nothing of hft is there' : views.briefUninstall(done.plan);
      return { json: views.uninstallJson(done), text, brief, exitCode };
    };
    const act = await agreeOnWork(
      flags,
      {
        plan: (host) => planHostUninstall(host, flags),
        isNothing: ({ removes, isPinned }) => removes.length === 0 && !isPinned,
        view: views.viewUninstallPlan,
        brief: views.briefUninstall,
        question: (hosts) => `Take it from ${hosts.length === 1 ? hosts[0] : `${hosts.length} hosts`}?`,
        act: async (host, plan) => answer(await uninstallHost(host, flags, plan), 0),
        leave: (plan, outcome) => answer({ plan, outcome, left: [] }, 1),
      },
      { terminal: this.terminal, report: (text) => this.logToStderr(text) },
    );
    return this.showHosts(flags, act);
  }
}
