import type { Sourced, SourcedEntry, SourcedMap } from './sourced.ts';

/**
 * The shipped profiles, parsed and checked by the build: neither YAML nor the schemas have to be loaded for them. It is
 * looked up by all that it was made from, so a file that somebody changed is simply not in here.
 */
export interface PreparedProfiles {
  /** What YAML makes of a file, by the whole text of the file. */
  readonly trees: Readonly<Record<string, PackedTree>>;
  /** What the schemas make of a profile with all that it extends, by its merged keys as JSON. */
  readonly checked: Readonly<Record<string, unknown>>;
}

/** A tree as JSON holds it, without the name of its file: line, column, and a map's entries with those of their keys. */
export type PackedTree =
  | { readonly at: Position; readonly map: readonly (readonly [key: string, at: Position, value: PackedTree])[] }
  | { readonly at: Position; readonly list: readonly PackedTree[] }
  | { readonly at: Position; readonly value: string | number | boolean | null; readonly text: string };

type Position = readonly [line: number, column: number];

/** The tree of a file with this text; undefined when the build did not see such a file. */
export function findTree(prepared: PreparedProfiles, text: string, file: string): SourcedMap | undefined {
  if (!Object.hasOwn(prepared.trees, text)) return undefined;
  const tree = unpackTree(prepared.trees[text] as PackedTree, file);
  return tree.kind === 'map' ? tree : undefined;
}

/** Only for keys that come from prepared trees alone: JSON has no NaN and no -0, which YAML has. */
export function findChecked(prepared: PreparedProfiles, written: unknown): unknown {
  const key = checkedKey(written);
  return Object.hasOwn(prepared.checked, key) ? prepared.checked[key] : undefined;
}

export function checkedKey(written: unknown): string {
  return JSON.stringify(written);
}

export function packTree(tree: Sourced): PackedTree {
  const at = [tree.place.line, tree.place.column] as const;
  if (tree.kind === 'scalar') return { at, value: tree.value, text: tree.text };
  if (tree.kind === 'list') return { at, list: tree.items.map(packTree) };
  const map = [...tree.entries].map(
    ([key, { keyPlace, value }]) => [key, [keyPlace.line, keyPlace.column], packTree(value)] as const,
  );
  return { at, map };
}

export function unpackTree(packed: PackedTree, file: string): Sourced {
  const placeOf = ([line, column]: Position) => ({ file, line, column });
  const place = placeOf(packed.at);
  if ('value' in packed) return { kind: 'scalar', place, value: packed.value, text: packed.text };
  if ('list' in packed) return { kind: 'list', place, items: packed.list.map((item) => unpackTree(item, file)) };
  const entries = new Map<string, SourcedEntry>();
  for (const [key, at, value] of packed.map)
    entries.set(key, { keyPlace: placeOf(at), value: unpackTree(value, file) });
  return { kind: 'map', place, entries };
}
