import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installedProfiles } from '../../src/cli/installed-profiles.ts';
import { readRuns } from '../../src/engine/journal.ts';
import { observeAndPlan } from '../../src/engine/observe.ts';
import { rollback } from '../../src/engine/rollback.ts';
import type { Wanted } from '../../src/engine/scope.ts';
import { type Engine, tune } from '../../src/engine/tune.ts';
import { openSnapshot } from '../../src/host/snapshot.ts';
import { listProfiles } from '../../src/profile/list.ts';
import { loadProfile } from '../../src/profile/load.ts';
import { domains } from '../../src/tuning/index.ts';
import { MemoryState } from '../faults/memory-state.ts';
import { WritableCapture } from '../writable-capture.ts';

const ROOT = join(import.meta.dirname, '../..');
const MACHINES = join(ROOT, 'test/machines');
const machines = readdirSync(MACHINES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const store = { ...installedProfiles(ROOT), searchPath: [join(ROOT, 'profiles')] };
const profiles = (await listProfiles(store)).map((profile) => profile.name);

/** Kinds whose writes a file in memory can stand for; ethtool, units and boot loaders are the lab's to show. */
const FILE_KINDS = new Set(['file', 'config-file', 'cgroup', 'irq-affinity', 'thread-affinity']);

const fileDomains = domains.map((domain): Engine['domains'][number] => ({
  ...domain,
  desire(wanted, facts, machine) {
    const desired = domain.desire(wanted, facts, machine);
    return { ...desired, settings: desired.settings.filter((setting) => FILE_KINDS.has(setting.tunable.kind)) };
  },
}));

async function wantedBy(profile: string): Promise<Wanted> {
  const loaded = await loadProfile(profile, store);
  return { name: loaded.name, layout: loaded.layout, domains: loaded.wanted };
}

/** hft tune, hft rollback and hft plan on one machine, with a journal. */
async function openRig(machine: string) {
  const host = new WritableCapture(await openSnapshot(join(MACHINES, machine)));
  const state = new MemoryState();
  let runs = 0;
  const nameRun = () => `run-${++runs}`;
  const engine: Engine = { host, state, domains: fileDomains, version: '0', now: () => new Date(0), nameRun };
  const plan = async (profile: string) =>
    observeAndPlan({
      reader: host,
      domains: fileDomains,
      wanted: await wantedBy(profile),
      runs: await readRuns(state),
    });
  const tuneTo = async (profile: string) => {
    const outcome = await tune(engine, {
      wanted: await wantedBy(profile),
      planned: await plan(profile),
      planAgain: () => plan(profile),
      origin: 'user',
      approve: async () => true,
    });
    expect(outcome.report.failure).toBeUndefined();
    expect(outcome.report.skipped).toEqual([]);
    expect(outcome.after.changes.map((change) => change.setting.id)).toEqual([]);
    expect(outcome.after.kept).toEqual([]);
  };
  return { host, engine, plan, tuneTo };
}

describe.each(machines.map((entry) => entry.name))('%s', (machine) => {
  test.each(profiles)('%s: tuned it is as wanted, rolled back it is as before', async (profile) => {
    const { host, engine, plan, tuneTo } = await openRig(machine);
    const before = await plan(profile);
    expect((await plan(profile)).plan).toEqual(before.plan);
    await tuneTo(profile);
    await rollback(engine, { scope: 'all' });
    expect(await host.differences()).toEqual({});
    const summarize = ({ plan: { changes } }: typeof before) =>
      changes.map(({ setting, current }) => [setting, current]);
    expect(summarize(await plan(profile))).toEqual(summarize(before));
  });

  const pairs = profiles.flatMap((from) => (from === 'colo' ? profiles : ['colo']).map((to) => [from, to] as const));
  test.each(pairs)('%s, then %s: nothing of the first is left, and each can be taken back', async (from, to) => {
    const alone = await openRig(machine);
    await alone.tuneTo(to);
    const { host, engine, tuneTo } = await openRig(machine);
    await tuneTo(from);
    const first = await host.differences();
    await tuneTo(to);
    expect(await host.differences()).toEqual(await alone.host.differences());
    await rollback(engine, { scope: 'last' });
    expect(await host.differences()).toEqual(first);
    await rollback(engine, { scope: 'all' });
    expect(await host.differences()).toEqual({});
  });
});

test('there are captured machines to try', () => {
  expect(readdirSync(MACHINES).length).toBeGreaterThan(0);
  expect(readFileSync(join(MACHINES, 'README.md'), 'utf8')).toContain('hft snapshot');
});
