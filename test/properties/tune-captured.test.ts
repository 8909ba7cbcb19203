import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installedProfiles } from '../../src/cli/installed-profiles.ts';
import { observeAndPlan, type Wanted } from '../../src/engine/observe.ts';
import { rollback } from '../../src/engine/rollback.ts';
import { type Engine, tune } from '../../src/engine/tune.ts';
import type { HostReader } from '../../src/host/host.ts';
import { openSnapshot } from '../../src/host/snapshot.ts';
import { listProfiles } from '../../src/profile/list.ts';
import { loadProfile } from '../../src/profile/load.ts';
import { domains } from '../../src/tuning/index.ts';
import { FakeHost } from '../fake-host.ts';
import { MemoryState } from '../faults/memory-state.ts';

const ROOT = join(import.meta.dirname, '../..');
const MACHINES = join(ROOT, 'test/machines');
const machines = readdirSync(MACHINES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const store = { ...installedProfiles(ROOT), searchPath: [join(ROOT, 'profiles')] };
const profiles = (await listProfiles(store)).map((profile) => profile.name);

/** Kinds whose writes a file in memory can stand for; ethtool, units and boot loaders are the lab's to show. */
const FILE_KINDS = new Set(['file', 'config-file', 'cgroup']);

const fileDomains = domains.map((domain): Engine['domains'][number] => ({
  ...domain,
  desire(wanted, facts, machine) {
    const desired = domain.desire(wanted, facts, machine);
    return { ...desired, settings: desired.settings.filter((setting) => FILE_KINDS.has(setting.tunable.kind)) };
  },
}));

/** A captured machine that can be written to: reads what was never written come from the capture. */
class WritableCapture extends FakeHost {
  private readonly captured: HostReader;
  private readonly removed = new Set<string>();

  constructor(captured: HostReader) {
    super();
    this.captured = captured;
  }

  override async readText(path: string): Promise<string | undefined> {
    if (this.removed.has(path)) return undefined;
    return this.files.get(path) ?? (await this.captured.readText(path));
  }

  override async list(path: string): Promise<readonly string[] | undefined> {
    return this.folders.has(path) ? [] : this.captured.list(path);
  }

  override readLink(path: string): Promise<string | undefined> {
    return this.captured.readLink(path);
  }

  override query(argv: readonly string[]): ReturnType<HostReader['query']> {
    return this.captured.query(argv);
  }

  override async writeText(path: string, text: string): Promise<void> {
    const kept = this.files.get(path) ?? (await this.captured.readText(path));
    if (kept !== undefined) this.files.set(path, kept);
    await super.writeText(path, text);
  }

  override async replaceFile(path: string, text: string): Promise<void> {
    this.removed.delete(path);
    await super.replaceFile(path, text);
  }

  override async removeFile(path: string): Promise<void> {
    this.removed.add(path);
    await super.removeFile(path);
  }
}

async function wantedBy(profile: string): Promise<Wanted> {
  const loaded = await loadProfile(profile, store);
  return { name: loaded.name, layout: loaded.layout, domains: loaded.wanted };
}

describe.each(machines.map((entry) => entry.name))('%s', (machine) => {
  test.each(profiles)('%s: tuned it is as wanted, rolled back it is as before', async (profile) => {
    const captured = await openSnapshot(join(MACHINES, machine));
    const host = new WritableCapture(captured);
    const engine: Engine = {
      host,
      state: new MemoryState(),
      domains: fileDomains,
      version: '0',
      now: () => new Date(0),
      nameRun: () => 'run',
    };
    const wanted = await wantedBy(profile);
    const { plan } = await observeAndPlan({ reader: host, domains: fileDomains, wanted });
    const again = await observeAndPlan({ reader: host, domains: fileDomains, wanted });
    expect(again.plan).toEqual(plan);
    const outcome = await tune(engine, { wanted, plan, origin: 'user', approve: async () => true });
    expect(outcome.report.failure).toBeUndefined();
    expect(outcome.after.changes.map((change) => change.setting.id)).toEqual([]);
    await rollback(engine, { scope: 'all' });
    const back = await observeAndPlan({ reader: host, domains: fileDomains, wanted });
    const summarize = (all: typeof plan) => all.changes.map(({ setting, current }) => [setting.id, current]);
    expect(summarize(back.plan)).toEqual(summarize(plan));
  });
});

test('there are captured machines to try', () => {
  expect(readdirSync(MACHINES).length).toBeGreaterThan(0);
  expect(readFileSync(join(MACHINES, 'README.md'), 'utf8')).toContain('hft snapshot');
});
