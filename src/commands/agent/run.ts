import { Flags } from '@oclif/core';
import { agentRunFlags } from '../../cli/agent-run-flags.ts';
import { BaseCommand } from '../base.ts';

export default class AgentRun extends BaseCommand {
  static override summary = 'Serve this host to authorised controllers, until SIGTERM';
  static override description =
    'Listens on loopback alone unless an address is given (or HFT_AGENT_LISTEN). Only controllers in authorized_controllers get in, each may what its role allows, and a request is one of a fixed list: no command and no path comes from outside. Logs a line of JSON for each request. Serves metrics to Prometheus where an address is given for it. SIGHUP takes a new key.';
  static override examples = [
    '<%= config.bin %> agent run',
    '<%= config.bin %> agent run --listen 10.1.0.7 --metrics 10.1.0.7',
  ];
  static override enableJsonFlag = false;
  static override flags = {
    ...agentRunFlags,
    look: Flags.boolean({ hidden: true, summary: 'Look at all that is in force once: what an agent starts' }),
  };

  async run() {
    const { flags } = await this.parse(AgentRun);
    if (flags.look) {
      const { lookHere } = await import('../../cli/agent-drift.ts');
      return this.log(JSON.stringify(await lookHere(this.config)));
    }
    const { runAgent } = await import('../../cli/agent-run.ts');
    await runAgent(this.config, flags);
  }
}
