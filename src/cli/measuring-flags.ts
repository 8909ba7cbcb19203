import { Flags } from '@oclif/core';

/** Of `hft verify latency`: where it measures, how long, and what besides. */
export const measuringFlags = {
  cpus: Flags.string({
    helpValue: 'SET',
    summary: 'Where: numbers (2-5,8) or names (isolated, node(0)); the isolated CPUs when left out',
  }),
  duration: Flags.string({
    helpValue: 'TIME',
    summary: 'How long each measurement takes, 1s to 24h; 10s when left out, 60s with --suite full',
  }),
  load: Flags.string({
    options: ['none', 'housekeeping', 'network'],
    summary:
      'What else runs meanwhile, on CPUs that do not measure: housekeeping work, or UDP packets over loopback; none when left out',
  }),
  redis: Flags.string({
    helpValue: 'ADDRESS',
    summary:
      'A Redis server to measure: unix:/path or HOST:PORT; it gets one key, hft:probe:*, which expires and is deleted. Without it one is started for the run',
  }),
  memcached: Flags.string({
    helpValue: 'ADDRESS',
    summary: 'A memcached server to measure, as with --redis',
  }),
  hdr: Flags.string({
    helpValue: 'FILE',
    summary: 'Write the histograms of every second as an HDR log, for HdrHistogram tools',
  }),
};
