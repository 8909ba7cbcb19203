import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { domains } from '../../src/tuning/index.ts';
import { readCase, runCase } from './case.ts';

const FOLDER = import.meta.dirname;

describe.each(domains.map((domain) => [domain.name, domain] as const))('%s', (name, domain) => {
  const files = readdirSync(join(FOLDER, name)).filter((file) => file.endsWith('.case.yaml'));

  test('has a nothing-to-do case and an unsupported-here case', () => {
    expect(files.some((file) => file.startsWith('nothing-to-do'))).toBe(true);
    expect(files.some((file) => file.startsWith('unsupported'))).toBe(true);
  });

  test.each(files)('%s', async (file) => {
    const given = readCase(join(FOLDER, name, file));
    const result = await runCase(domain, given);
    expect(result.plan).toEqual(given.plan ?? []);
    expect(result.unread).toEqual(given.unread ?? []);
    if (given.satisfied) expect(result.satisfied).toEqual(given.satisfied);
    expect(Object.keys(result.refused).sort()).toEqual(Object.keys(given.refused ?? {}).sort());
    for (const [id, reason] of Object.entries(given.refused ?? {})) expect(result.refused[id]).toContain(reason);
  });
});
