import { hostFlags } from '../../cli/host-flag.ts';
import { toNamedHost } from '../../cli/named-host.ts';
import { openRemote } from '../../cli/open-host.ts';
import { briefHello } from '../../views/brief.ts';
import type { Terminal } from '../../views/terminal.ts';
import { BaseCommand } from '../base.ts';

export default class AgentStatus extends BaseCommand {
  static override summary = 'Show whether the agent of a host answers, and what it takes you for';
  static override description = 'Its release, your role there, and what it counted since it started.';
  static override examples = [
    '<%= config.bin %> agent status --host box7',
    '<%= config.bin %> agent status --inventory tokyo.ini',
  ];
  static override flags = hostFlags;

  async run() {
    const { flags } = await this.parse(AgentStatus);
    const { viewHello } = await import('../../views/agent-status.ts');
    return this.showHosts(flags, async (host = toNamedHost('localhost')) => {
      const { control, close } = await openRemote(host);
      const hello = await control.hello().finally(close);
      const text = (terminal: Terminal) => viewHello(hello, terminal);
      return { json: hello, text, brief: briefHello(hello), exitCode: 0 };
    });
  }
}
