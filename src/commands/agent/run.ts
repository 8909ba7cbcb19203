import { Flags } from '@oclif/core';
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
    metrics: Flags.string({
      default: 'off',
      env: 'HFT_AGENT_METRICS',
      helpValue: 'ADDRESS[:PORT]',
      summary: 'Serve /metrics and /healthz over HTTP to everybody who reaches this address; port 7412 unless given',
    }),
    'log-format': Flags.string({
      default: 'auto',
      env: 'HFT_AGENT_LOG_FORMAT',
      options: ['auto', 'json', 'journal'],
      summary: 'Lines of JSON, or those behind their priority for the journal of systemd; auto: where that reads them',
    }),
    'log-level': Flags.string({
      default: 'info',
      env: 'HFT_AGENT_LOG_LEVEL',
      options: ['error', 'warning', 'info', 'debug'],
      summary: 'The least urgent lines that are logged',
    }),
  };

  async run() {
    const { flags } = await this.parse(AgentRun);
    const { runAgent } = await import('../../cli/agent-run.ts');
    await runAgent(this.config, flags);
  }
}
