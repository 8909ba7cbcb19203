import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import { listProfiles } from '../../../src/profile/list.ts';
import { loadProfile } from '../../../src/profile/load.ts';
import { domains } from '../../../src/tuning/index.ts';

const folder = join(import.meta.dirname, '../../../profiles');
const context = { searchPath: [folder], reader: new LocalHost(), domains };
const profiles = await listProfiles(context);

test('the profiles of the documentation are shipped', () => {
  const names = [
    'baseline',
    'cloud-aws',
    'cloud-azure',
    'cloud-gcp',
    'colo',
    'colo-dpdk',
    'market-data',
    'workstation',
  ];
  expect(profiles.map((profile) => profile.name)).toEqual(names);
});

describe.each(profiles.map((profile) => profile.name))('%s', (name) => {
  test('is valid and described', async () => {
    const profile = await loadProfile(name, context);
    expect(profile.name).toBe(name);
    expect(profile.description).toMatch(/^\S.*[^.]$/);
  });

  test('says why, for each part', () => {
    const text = readFileSync(join(folder, `${name}.yaml`), 'utf8');
    const parts = text
      .split(/\n(?=[a-z]+:)/)
      .slice(1)
      .filter((part) => !/^(name|description|extends):/.test(part));
    for (const part of parts) expect(part, part).toContain('#');
  });
});

test('colo has every setting that trading hosts are asked to have', async () => {
  const { wanted, layout } = await loadProfile('colo', context);
  expect(layout).toMatchObject({ smt: 'siblings-offline', isolated: { cores: 'most' } });
  expect(wanted).toMatchObject({
    isolation: { method: 'boot', managedIrq: true, nohzFull: true, rcuNocbs: true },
    cpu: { isolated: { governor: 'performance' }, housekeeping: { governor: 'performance' } },
    kernel: {
      scheduler: { migration_cost_ns: 5_000_000, latency_ns: 1_000_000, min_granularity_ns: 100_000 },
      sysctl: { 'kernel.panic_on_oops': '1', 'kernel.core_uses_pid': '1' },
    },
    memory: { swappiness: 0, thp: { enabled: 'never' }, hugepages: { '2M': { pages: 1024 } } },
    network: {
      rmem_max: 134_217_728,
      wmem_max: 134_217_728,
      netdev_max_backlog: 5000,
      tcp_rmem: [4096, 87_380, 67_108_864],
      tcp_wmem: [4096, 65_536, 67_108_864],
      tcp_tw_reuse: 1,
      tcp_sack: 0,
      tcp_slow_start_after_idle: 0,
      somaxconn: 4096,
      tcp_max_syn_backlog: 8192,
    },
    nic: { rings: { rx: 4096, tx: 4096 }, rss: 'all', offloads: { tso: false, gso: false, gro: false, lro: false } },
    irq: { default: 'housekeeping', others: 'housekeeping' },
  });
});

test('market-data has what colo leaves out: large frames, RFS, bbr', async () => {
  const { wanted } = await loadProfile('market-data', context);
  expect(wanted).toMatchObject({ nic: { mtu: 9000, rfs: 4096 }, network: { tcp_congestion_control: 'bbr' } });
});

test('workstation needs no reboot, stops nothing and isolates nothing', async () => {
  const { wanted, layout } = await loadProfile('workstation', context);
  expect(Object.keys(wanted).sort()).toEqual(['kernel', 'memory', 'network']);
  expect(layout.isolated).toMatchObject({ cores: 0 });
  expect(wanted.kernel).not.toHaveProperty('boot');
  expect(wanted.memory).not.toHaveProperty('hugepages');
});
