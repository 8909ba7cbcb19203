import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalHost } from '../../../src/host/local.ts';
import { loadProfile, type ProfileContext } from '../../../src/profile/load.ts';
import { prepareProfiles } from '../../../src/profile/prepare.ts';
import type { PreparedProfiles } from '../../../src/profile/prepared.ts';
import { listProfileNames } from '../../../src/profile/sources.ts';
import { domains } from '../../../src/tuning/index.ts';
import { FakeHost } from '../../fake-host.ts';

const folder = join(import.meta.dirname, '../../../profiles');
const parsing: ProfileContext = { searchPath: [folder], reader: new LocalHost(), domains };
/** As the build hands it over: as JSON. */
const prepared: PreparedProfiles = JSON.parse(JSON.stringify(await prepareProfiles(parsing)));
const names = await listProfileNames(parsing);

/** Domains whose schemas cannot be had: what is loaded with them was not checked again. */
const unchecked = domains.map((domain) => ({
  ...domain,
  schema: async () => {
    throw new Error('checked');
  },
}));

const shipped = Object.fromEntries(
  names.map((name) => [`/hft/profiles/${name}.yaml`, readFileSync(join(folder, `${name}.yaml`), 'utf8')]),
);

/** The shipped profiles with people's own files beside and over them. */
function contextOf(files: Record<string, string>): ProfileContext {
  const reader = new FakeHost({ ...shipped, ...files });
  return { searchPath: ['/etc/hft/profiles', '/hft/profiles'], reader, domains };
}

async function load(name: string, context: ProfileContext): Promise<unknown> {
  return loadProfile(name, context).catch((error: Error) => ({ error: error.constructor.name, text: error.message }));
}

describe.each(names)('%s', (name) => {
  test('is what its YAML and the schemas make of it, with every place', async () => {
    expect(await loadProfile(name, { ...parsing, prepared })).toStrictEqual(await loadProfile(name, parsing));
  });

  test('is not checked again', async () => {
    await expect(loadProfile(name, { ...parsing, domains: unchecked, prepared })).resolves.toBeDefined();
    await expect(loadProfile(name, { ...parsing, domains: unchecked })).rejects.toThrow('checked');
  });
});

describe("people's own files come to the same with and without what the build prepared", () => {
  test.each<[string, Record<string, string>]>([
    ['a profile that extends a shipped one', { './own.yaml': 'extends: colo\nmemory: { swappiness: 7 }\n' }],
    ['one that only names it', { './own.yaml': 'extends: colo\n' }],
    ['one that removes a part', { './own.yaml': 'extends: colo\nkernel: null\n' }],
    ['an unknown key', { './own.yaml': 'extends: colo\nmemroy: { swappiness: 7 }\n' }],
    ['an unknown key that is removed', { './own.yaml': 'extends: colo\nmemroy: null\n' }],
    ['a wrong value', { './own.yaml': 'extends:\n  - colo\nmemory:\n  swappiness: lots\n' }],
    ['no YAML', { './own.yaml': 'extends: [colo\n' }],
    ['numbers that JSON does not have', { './own.yaml': 'extends: colo\nmemory: { swappiness: -0 }\n' }],
    [
      'a shipped profile that was edited in place',
      {
        '/hft/profiles/colo.yaml': `${shipped['/hft/profiles/colo.yaml']}\nmemroy: {}\n`,
        './own.yaml': 'extends: colo\n',
      },
    ],
    [
      "an administrator's colo over the shipped one, under another that is untouched",
      { '/etc/hft/profiles/colo.yaml': 'extends: baseline\n', './own.yaml': 'extends: colo-dpdk\n' },
    ],
    [
      'a shipped text under the name of another',
      {
        '/etc/hft/profiles/colo.yaml': shipped['/hft/profiles/workstation.yaml'] as string,
        './own.yaml': 'extends: colo-dpdk\n',
      },
    ],
  ])('%s', async (_what, files) => {
    const context = contextOf(files);
    for (const name of ['./own.yaml', 'colo', 'colo-dpdk']) {
      expect(await load(name, { ...context, prepared })).toStrictEqual(await load(name, context));
    }
  });
});
