import { expect, test } from 'vitest';
import { domains } from '../../../src/tuning/index.ts';

/** A profile that was parsed is kept in the journal and parsed again at boot. */
const profile: Readonly<Record<string, unknown>> = {
  cpu: {
    turbo: 'on',
    smt: false,
    uncore: { minFrequency: 'max' },
    isolated: { governor: 'performance', minFrequency: '80%', maxFrequency: '3.5GHz', resumeLatency: '10us' },
    irq: { minFrequency: 'min', maxFrequency: 2400000, resumeLatency: 'poll' },
  },
  memory: {
    hugepages: {
      default: '1G',
      '1G': { pagesPerNode: 4, at: 'boot' },
      '2M': { pages: 8, nodes: [0], mount: { target: '/mnt' } },
    },
    thp: { enabled: 'never', khugepagedDefrag: 'off' },
    dirty: { limit: '256M', background: '3%', expire: '5s' },
    numa_balancing: 0,
    stat_interval: '10s',
    minFree: '512M',
  },
  kernel: {
    sysctl: { 'kernel.printk': [3, 4, 1, 3], 'kernel.panic_on_oops': 1 },
    watchdogs: { nmi: 'off', cpus: 'housekeeping', threshold: '20s' },
    scheduler: { migration_cost_ns: '5ms' },
    realtime: { runtime: 'unlimited' },
    boot: { skew_tick: 1, nosoftlockup: 'on', nowatchdog: false },
  },
  network: { rmem_max: '128M', tcp_rmem: '4096 87380 67108864', tcp_sack: 0, ip_local_port_range: [10240, 65535] },
  services: { irqbalance: 'stopped', 'chrony.service': 'running' },
  limits: { groups: { trading: { memlock: '64G', nice: -20 } }, services: { memlock: 'unlimited' } },
};

test.each(Object.keys(profile))('%s parses to the same after it was stored', async (name) => {
  const schema = await domains.find((domain) => domain.name === name)?.schema();
  const once = schema?.parse(profile[name]);
  expect(schema?.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
});
