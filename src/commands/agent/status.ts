import { hostFlag } from '../../cli/host-flag.ts';
import { openRemote } from '../../cli/open-host.ts';
import { BaseCommand } from '../base.ts';

export default class AgentStatus extends BaseCommand {
  static override summary = 'Show whether the agent of a host answers, and what it takes you for';
  static override description = 'Its release, your role there, and what it counted since it started.';
  static override examples = ['<%= config.bin %> agent status --host box7'];
  static override flags = { host: { ...hostFlag, default: async () => 'localhost' } };

  async run() {
    const { flags } = await this.parse(AgentStatus);
    const { viewHello } = await import('../../views/agent-status.ts');
    const { control, close } = await openRemote(flags.host ?? 'localhost');
    const hello = await control.hello().finally(close);
    return this.show(hello, (terminal) => viewHello(hello, terminal));
  }
}
