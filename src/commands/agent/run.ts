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
    'responder-port': Flags.integer({
      default: 17_707,
      min: 1_024,
      max: 65_535,
      env: 'HFT_AGENT_RESPONDER_PORT',
      helpValue: 'PORT',
      summary: 'Where it answers `verify latency --peer agent://` of a controller, while that asks; TCP and UDP',
    }),
  };

  async run() {
    const { flags } = await this.parse(AgentRun);
    const { runAgent } = await import('../../cli/agent-run.ts');
    await runAgent(this.config, flags.listen, flags['responder-port']);
  }
}
