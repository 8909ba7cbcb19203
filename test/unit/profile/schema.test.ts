import { describe, expect, test } from 'vitest';
import { type JsonSchema, knownKeys, profileJsonSchema, profileSchema } from '../../../src/profile/schema.ts';
import { domains } from '../../../src/tuning/index.ts';

const schema = await profileJsonSchema(domains);

/** Every object below a schema, with its path. */
function listObjects(part: JsonSchema, path: string): [string, JsonSchema][] {
  const below = Object.entries(part.properties ?? {}).flatMap(([key, child]) => listObjects(child, `${path}.${key}`));
  const inside = [...(part.anyOf ?? []), ...(part.items === undefined ? [] : [part.items])].flatMap((child) =>
    listObjects(child, path),
  );
  return [...(part.properties === undefined ? [] : [[path, part] as [string, JsonSchema]]), ...below, ...inside];
}

const objects = listObjects(schema, 'profile');

describe('the keys of profiles', () => {
  test.each(objects)('%s lets no unknown key pass', (_path, { additionalProperties }) => {
    expect(additionalProperties).toBe(false);
  });

  test('are described, for editors', () => {
    const bare = objects.flatMap(([path, { properties = {} }]) =>
      Object.entries(properties).flatMap(([key, child]) => (hasDescription(child) ? [] : [`${path}.${key}`])),
    );
    expect(bare.filter((path) => !/\.(percent|ratio|bytes)$/.test(path))).toEqual([]);
  });

  test('are found by path, also in lists and below names that people choose', () => {
    expect(knownKeys(schema, ['layout', 'isolated'])).toEqual(['cores', 'near', 'within', 'coreType']);
    expect(knownKeys(schema, ['limits', 'groups', 'trading'])).toEqual(['rtprio', 'memlock', 'nofile', 'nice']);
    expect(knownKeys(schema, ['kernel', 'sysctl'])).toBeUndefined();
    expect(knownKeys(schema, ['nothing', 'here'])).toBeUndefined();
  });
});

test('an empty profile is right, and wants nothing', async () => {
  expect((await profileSchema(domains)).parse({})).toEqual({
    layout: expect.objectContaining({ nic: 'auto', smt: 'keep' }),
  });
});

function hasDescription(part: JsonSchema): boolean {
  return part.description !== undefined || (part.anyOf ?? []).some(hasDescription);
}
