import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { findSourced, listPlaces, mergeSourced, type SourcedMap, toPlain } from '../../src/profile/sourced.ts';
import { parseYamlTree } from '../../src/profile/yaml-tree.ts';

type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
type ValueMap = Record<string, Value>;

const key = fc.constantFrom('layout', 'nic', 'irq', 'a', 'b', 'c', 'rx-usecs', '2M');
const scalar = fc.oneof(
  fc.constantFrom('off', 'yes', '1_000', '64M', 'housekeeping', 'a: b', '# no', "it's", '', ' x '),
  fc.integer(),
  fc.boolean(),
);
const { map } = fc.letrec<{ map: ValueMap; value: Value }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, fc.constant(null), fc.array(tie('value'), { maxLength: 3 }), tie('map')),
  map: fc.dictionary(key, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<ValueMap>,
}));

function treeOf(value: ValueMap, file = 'a.yaml'): SourcedMap {
  const { tree, problems } = parseYamlTree(stringify(value), file);
  expect(problems).toEqual([]);
  return tree as SourcedMap;
}

function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The rule in one sentence: maps key by key, the rest replaces. */
function merge(inherited: ValueMap, own: ValueMap): ValueMap {
  const merged: ValueMap = { ...inherited };
  for (const [name, value] of Object.entries(own)) {
    const before = merged[name];
    merged[name] = isMap(before) && isMap(value) ? merge(before, value) : value;
  }
  return merged;
}

function withoutNulls(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isMap(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNulls(inner)]));
}

describe('merging', () => {
  test('is map by map, and null removes', () => {
    fc.assert(
      fc.property(map, map, (inherited, own) => {
        const merged = mergeSourced(treeOf(inherited), treeOf(own));
        expect(toPlain(merged)).toEqual(withoutNulls(merge(inherited, own)));
      }),
    );
  });

  test('with itself or with nothing changes nothing', () => {
    fc.assert(
      fc.property(map, (profile) => {
        const tree = treeOf(profile);
        const nothing: SourcedMap = { kind: 'map', place: tree.place, entries: new Map() };
        expect(toPlain(mergeSourced(tree, tree))).toEqual(toPlain(tree));
        expect(toPlain(mergeSourced(nothing, tree))).toEqual(toPlain(tree));
        expect(toPlain(mergeSourced(tree, nothing))).toEqual(toPlain(tree));
      }),
    );
  });
});

describe('places', () => {
  test('each scalar stands in the file where its place says, also after a merge', () => {
    fc.assert(
      fc.property(map, map, (inherited, own) => {
        const texts: Record<string, string[]> = {
          'base.yaml': stringify(inherited).split('\n'),
          'own.yaml': stringify(own).split('\n'),
        };
        const merged = mergeSourced(treeOf(inherited, 'base.yaml'), treeOf(own, 'own.yaml'));
        for (const [path, { file, line, column }] of Object.entries(listPlaces(merged))) {
          const { tree } = findSourced(merged, path.split('.'));
          if (tree.kind !== 'scalar' || tree.text.includes('\n')) continue;
          expect(texts[file]?.[line - 1]?.slice(column - 1, column - 1 + tree.text.length)).toBe(tree.text);
        }
      }),
    );
  });
});

test('no text makes the reader fail: a tree, or problems with a place', () => {
  const line = fc.stringMatching(/^[ \t]*[-?:,{}[\]&*!|>'"%@`#a-z0-9.~<]{0,12}$/);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const { tree, problems } = parseYamlTree(lines.join('\n'), 'a.yaml');
      expect(tree !== undefined || problems.length > 0).toBe(true);
      for (const { place } of problems) expect(place.line >= 1 && place.column >= 1).toBe(true);
    }),
    { numRuns: 500 },
  );
});
