import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installedProfiles } from '../../src/cli/installed-profiles.ts';
import { observeAndPlan } from '../../src/engine/observe.ts';
import { domainOf } from '../../src/engine/scope.ts';
import { openSnapshot } from '../../src/host/snapshot.ts';
import { listProfiles } from '../../src/profile/list.ts';
import { loadProfile } from '../../src/profile/load.ts';
import { placeOf } from '../../src/tunables/place.ts';
import { domains } from '../../src/tuning/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const MACHINES = join(ROOT, 'test/machines');
const machines = readdirSync(MACHINES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const store = { ...installedProfiles(ROOT), searchPath: [join(ROOT, 'profiles')] };
const profiles = (await listProfiles(store)).map((profile) => profile.name);

/** What no shipped profile asks for together. */
const MORE = { limits: { services: { memlock: 'unlimited' } }, persistence: { command: '/usr/bin/hft' } };

describe.each(machines.map((entry) => entry.name))('%s', (machine) => {
  test.each(profiles)('%s: each place has one wish, and each id begins with its domain', async (name) => {
    const profile = await loadProfile(name, store);
    const more = await Promise.all(
      Object.entries(MORE).map(async ([domain, part]) => [
        domain,
        (await domains.find((each) => each.name === domain)?.schema())?.parse(part),
      ]),
    );
    const wanted = { name, layout: profile.layout, domains: { ...profile.wanted, ...Object.fromEntries(more) } };
    const reader = await openSnapshot(join(MACHINES, machine));
    const { plan } = await observeAndPlan({ reader, domains, wanted });
    await reader.close();
    const all = [...plan.changes, ...plan.satisfied, ...plan.unread];
    expect(all.length).toBeGreaterThan(5);
    expect(all.filter(({ setting, domain }) => domainOf(setting.id) !== domain)).toEqual([]);
    for (const names of [all.map(({ setting }) => setting.id), all.map(({ setting }) => placeOf(setting.tunable))]) {
      expect(names.filter((each, index) => names.indexOf(each) !== index)).toEqual([]);
    }
  });
});
