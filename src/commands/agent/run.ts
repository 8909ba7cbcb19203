import { Flags } from '@oclif/core';
import { BaseCommand } from '../base.ts';

export default class AgentRun extends BaseCommand {
  static override summary = 'Serve this host to authorised controllers, until SIGTERM';
  static override description =
    'Listens on loopback alone unless an address is given (or HFT_AGENT_LISTEN). Only controllers in authorized_controllers get in, each may what its role allows, and a request is one of a fixed list: no command and no path comes from outside. Logs a line of JSON for each request. SIGHUP takes a new key.';
  static override examples = ['<%= config.bin %> agent run', '<%= config.bin %> agent run --listen 10.1.0.7'];
  static override enableJsonFlag = false;
  static override flags = {
    listen: Flags.string({
      default: '127.0.0.1',
      env: 'HFT_AGENT_LISTEN',
      helpValue: 'ADDRESS[:PORT]',
      summary: 'An address of this host; port 7411 unless given',
    }),
    'look-every': Flags.string({
      default: 'auto',
      env: 'HFT_AGENT_LOOK_EVERY',
      helpValue: 'TIME',
      summary: 'Time between two looks for drift, at least 1s; auto: as often as it may cost',
    }),
    look: Flags.boolean({ hidden: true, summary: 'Look at all that is in force once: what an agent starts' }),
  };

  async run() {
    const { flags } = await this.parse(AgentRun);
    if (flags.look) {
      const { lookHere } = await import('../../cli/agent-drift.ts');
      return this.log(JSON.stringify(await lookHere(this.config)));
    }
    const { runAgent } = await import('../../cli/agent-run.ts');
    return runAgent(this.config, { listen: flags.listen, lookEvery: flags['look-every'] });
  }
}
