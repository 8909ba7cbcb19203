import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installedProfiles } from '../../../../src/cli/installed-profiles.ts';
import { observeAndPlan } from '../../../../src/engine/observe.ts';
import { HftError } from '../../../../src/errors.ts';
import { openSnapshot } from '../../../../src/host/snapshot.ts';
import { remedyFor, remedyForIrq, remedyIds } from '../../../../src/latency/attribution/remedy.ts';
import { listProfiles } from '../../../../src/profile/list.ts';
import { loadProfile } from '../../../../src/profile/load.ts';
import { buildMachine } from '../../../machine-builder.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const MACHINES = join(ROOT, 'test/machines');

/** Every id that the shipped profiles make of the captured machines: changes, what is right already, refusals. */
async function plannedIds(): Promise<ReadonlySet<string>> {
  const store = { ...installedProfiles(ROOT), searchPath: [join(ROOT, 'profiles')] };
  const ids = new Set<string>();
  for (const { name: machine } of readdirSync(MACHINES, { withFileTypes: true }).filter((each) => each.isDirectory())) {
    for (const { name } of await listProfiles(store)) {
      const profile = await loadProfile(name, store);
      const wanted = { name: profile.name, layout: profile.layout, domains: profile.wanted };
      const reader = await openSnapshot(join(MACHINES, machine));
      try {
        const { plan } = await observeAndPlan({ reader, domains: store.domains, wanted });
        for (const { setting } of [...plan.changes, ...plan.satisfied, ...plan.unread]) ids.add(setting.id);
        for (const { id } of plan.refused) ids.add(id);
      } catch (error) {
        if (!(error instanceof HftError)) throw error;
      } finally {
        await reader.close();
      }
    }
  }
  return ids;
}

test('every setting that is named as a remedy is one that a tuning domain makes', async () => {
  const planned = await plannedIds();
  expect(remedyIds().length).toBeGreaterThan(15);
  expect(remedyIds().filter((id) => !planned.has(id))).toEqual([]);
});

test("an interrupt's remedy is its own setting, unless the kernel places it", () => {
  const [queue, spaced] = buildMachine({
    irqs: [
      { irq: 35, device: 'ens1', queue: 'TxRx-2' },
      { irq: 24, device: 'PCIe PME', queue: '' },
    ],
  }).irqs;
  expect(remedyForIrq(queue).fix).toBe('irq.affinity@ens1/TxRx-2');
  expect(remedyForIrq(spaced).fix).toBe('irq.affinity@PCIe-PME');
  expect(remedyForIrq(undefined).fix).toBe('irq.default-affinity');
  const [managed] = buildMachine({ irqs: [{ irq: 40, device: 'nvme0', queue: 'q3', managed: true }] }).irqs;
  expect(remedyForIrq(managed).fix).toBe('isolation.isolcpus');
});

test.each([
  ['timer', 'local_timer', 'isolation.nohz_full'],
  ['softirq', 'RCU', 'isolation.rcu_nocbs'],
  ['softirq', 'NET_RX', 'irq.default-affinity'],
  ['thread', 'kworker/3 vmstat_update', 'memory.sysctl@vm.stat_interval'],
  ['thread', 'kworker/u8 flush', 'kernel.workqueue@cpumask'],
  ['thread', 'kcompactd0', 'memory.sysctl@vm.compaction_proactiveness'],
  ['thread', 'java', 'isolation.isolcpus'],
  ['nmi', 'perf_event_nmi_handler', 'kernel.sysctl@kernel.nmi_watchdog'],
  ['throttling', 'idle', 'kernel.sysctl@kernel.sched_rt_runtime_us'],
  ['smi', 'system management interrupts', undefined],
] as const)('%s %s: %s', (kind, name, fix) => {
  expect(remedyFor(kind, name).fix).toBe(fix);
});
