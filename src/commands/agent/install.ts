import { Flags } from '@oclif/core';
import { ROLES } from '../../agent/keys/roles.ts';
import { sshHostFlags } from '../../cli/ssh-hosts.ts';
import type { Terminal } from '../../views/terminal.ts';
import { BaseCommand } from '../base.ts';

export default class AgentInstall extends BaseCommand {
  static override summary = 'Install hft and its agent on hosts that have nothing but sshd and systemd';
  static override description =
    'Over SSH, with your ssh_config and known_hosts: the package, the key of the agent, who may ask it, where it listens, the unit; then its key is pinned here, and it is asked for its status. Shows what it will do first. Done again it does what is missing, so a newer or older package is an upgrade or a downgrade. Exit code 0 as wanted, 1 something is to be done (--dry-run), 3 failed.';
  static override examples = ['<%= config.bin %> agent install --host box7 --listen 10.1.0.7'];
  static override flags = {
    ...sshHostFlags,
    package: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
      summary: 'What `npm run package` made; again for another kind or architecture',
    }),
    listen: Flags.string({
      helpValue: 'ADDRESS[:PORT]',
      summary: 'Where its agent listens; loopback alone until it is said. In an inventory: hft_agent_listen',
    }),
    metrics: Flags.string({
      helpValue: 'ADDRESS[:PORT]',
      summary: 'Where its agent gives metrics, or off; as it is unless it is said',
    }),
    role: Flags.string({ options: [...ROLES], summary: 'What you may ask it for; operator unless it is said' }),
    name: Flags.string({ helpValue: 'WHO', summary: 'Who you are, for its log; USER@HOST unless it is said' }),
  };

  async run() {
    const { flags } = await this.parse(AgentInstall);
    const { installHost, planHost, readInstallSite } = await import('../../cli/agent-install.ts');
    const { agreeOnWork } = await import('../../cli/ssh-agreement.ts');
    const views = await import('../../views/agent-install.ts');
    const report = (text: string) => this.logToStderr(text);
    const site = await readInstallSite(this.config, flags);
    const answer = (done: Parameters<typeof views.installJson>[0], exitCode: number) => {
      const text = (terminal: Terminal) => views.viewInstalled(done, terminal);
      const brief = exitCode === 0 ? `hft ${done.plan.package.version} is installed` : views.briefInstall(done.plan);
      return { json: views.installJson(done), text, brief, exitCode };
    };
    const act = await agreeOnWork(
      flags,
      {
        plan: (host) => planHost(host, site),
        isNothing: ({ steps }) => steps.length === 0,
        view: views.viewInstallPlan,
        brief: views.briefInstall,
        question: (hosts) => `Do this on ${hosts.length === 1 ? hosts[0] : `${hosts.length} hosts`}?`,
        act: async (host, plan) => answer(await installHost(host, site, plan, report), 0),
        leave: (plan, outcome) => answer({ plan, outcome, publicKey: undefined, status: undefined }, 1),
      },
      { terminal: this.terminal, report },
    );
    return this.showHosts(flags, act);
  }
}
