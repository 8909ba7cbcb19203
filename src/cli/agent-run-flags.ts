import { Flags } from '@oclif/core';

/** What `hft agent run` takes; each also as a variable of its unit's `agent.env`. */
export const agentRunFlags = {
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
  'look-every': Flags.string({
    default: 'auto',
    env: 'HFT_AGENT_LOOK_EVERY',
    helpValue: 'TIME',
    summary: 'Time between two looks for drift, at least 1s; auto: as often as it may cost',
  }),
};
