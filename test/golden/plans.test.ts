import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installedProfiles } from '../../src/cli/installed-profiles.ts';
import { observeAndPlan } from '../../src/engine/observe.ts';
import { HftError } from '../../src/errors.ts';
import { openSnapshot } from '../../src/host/snapshot.ts';
import { listProfiles } from '../../src/profile/list.ts';
import { loadProfile } from '../../src/profile/load.ts';
import { locateErrors } from '../../src/profile/locate.ts';
import { viewPlan } from '../../src/views/plan.ts';

const ROOT = join(import.meta.dirname, '../..');
const MACHINES = join(ROOT, 'test/machines');
const machines = readdirSync(MACHINES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const store = { ...installedProfiles(ROOT), searchPath: [join(ROOT, 'profiles')] };
const profiles = (await listProfiles(store)).map((profile) => profile.name);

/** The plan as people see it at 80 columns; an error is an answer too. */
async function planText(machine: string, name: string): Promise<string> {
  const profile = await loadProfile(name, store);
  const wanted = { name: profile.name, layout: profile.layout, domains: profile.wanted };
  const reader = await openSnapshot(join(MACHINES, machine));
  try {
    const { plan } = await locateErrors(profile, () => observeAndPlan({ reader, domains: store.domains, wanted }));
    return `${viewPlan(plan, { columns: 80, color: false })}\n`;
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    return `${error.message.replaceAll(ROOT, '')}\n`;
  } finally {
    await reader.close();
  }
}

/** `npm run unit -- -u test/golden` rewrites the answers; read their diff. A new machine needs no code. */
describe.each(machines.map((entry) => entry.name))('%s', (machine) => {
  test.each(profiles)('%s', async (profile) => {
    const text = await planText(machine, profile);
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, machine, `${profile}.txt`));
  });
});
