import { Flags } from '@oclif/core';
import { DEFAULT_LIMIT_NS } from '../ptp/expectation.ts';

/** What `hft verify ptp` takes to look and to judge. */
export const ptpFlags = {
  limit: Flags.string({
    default: `${DEFAULT_LIMIT_NS}ns`,
    helpValue: 'TIME',
    summary: 'The most that this host may be from its grandmaster: 100ns, 2us, 1ms',
  }),
  duration: Flags.string({ default: '5s', helpValue: 'TIME', summary: 'How long to look', exclusive: ['watch'] }),
  interval: Flags.string({ default: '1s', helpValue: 'TIME', summary: 'Time between two looks' }),
  watch: Flags.boolean({ char: 'w', summary: 'Look until Ctrl-C, a line for each look' }),
  evidence: Flags.boolean({
    summary: 'Keep a line for each look and each excursion, chained by hashes, in the state folder',
  }),
  metrics: Flags.string({ helpValue: 'FILE', summary: 'Write metrics for the textfile collector of node_exporter' }),
  socket: Flags.string({
    helpValue: 'PATH',
    summary: 'The ptp4l to ask, by its uds_address; without it every one that runs',
  }),
  domain: Flags.integer({ min: 0, max: 255, helpValue: 'N', summary: 'PTP domain of the ptp4l at --socket' }),
  grandmaster: Flags.string({ helpValue: 'ID', summary: 'The only grandmaster that may be followed' }),
  timescale: Flags.string({
    default: 'ptp',
    options: ['ptp', 'arbitrary'],
    summary: 'What the grandmaster counts: TAI (ptp), or a time of its own, which nothing ties to UTC',
  }),
  'free-running': Flags.boolean({ summary: 'A ptp4l that only watches (free_running) counts as following' }),
};
