/** YAML values that remember where they were written, also after files were merged. */
import type { Place } from './problem.ts';

export type Sourced = SourcedMap | SourcedList | SourcedScalar;

export interface SourcedMap {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, SourcedEntry>;
}

export interface SourcedEntry {
  readonly keyPlace: Place;
  readonly value: Sourced;
}

export interface SourcedList {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly Sourced[];
}

export interface SourcedScalar {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** As it stands in the file, for messages: `1_000`, `"12"`. */
  readonly text: string;
}

export type Path = readonly (string | number)[];

/** Maps are merged key by key; anything else (lists too) replaces what was there. `null` stays, as a mark of removal. */
export function mergeSourced(inherited: SourcedMap, own: SourcedMap): SourcedMap {
  const entries = new Map(inherited.entries);
  for (const [key, entry] of own.entries) {
    const before = entries.get(key)?.value;
    const both = before?.kind === 'map' && entry.value.kind === 'map';
    entries.set(key, both ? { ...entry, value: mergeSourced(before, entry.value) } : entry);
  }
  return { kind: 'map', place: own.place, entries };
}

/** The value without places. Keys that are null are left out: that is how a profile removes what it inherits. */
export function toPlain(tree: Sourced): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(toPlain);
  const kept = [...tree.entries].filter(([, { value }]) => !isRemoval(value));
  return Object.fromEntries(kept.map(([key, { value }]) => [key, toPlain(value)]));
}

/** The paths of the keys that are null in maps. */
export function findRemovals(tree: Sourced, path: Path = []): Path[] {
  if (tree.kind !== 'map') return [];
  return [...tree.entries].flatMap(([key, { value }]) => {
    const below = [...path, key];
    return isRemoval(value) ? [below] : findRemovals(value, below);
  });
}

/** What is at the path; when it ends early, the deepest that is there and how far the path led. */
export function findSourced(
  tree: Sourced,
  path: Path,
): { readonly tree: Sourced; readonly keyPlace: Place; readonly depth: number } {
  let found: Sourced = tree;
  let keyPlace = tree.place;
  let depth = 0;
  for (const step of path) {
    const entry = found.kind === 'map' ? found.entries.get(String(step)) : undefined;
    const next: Sourced | undefined = found.kind === 'list' ? found.items[Number(step)] : entry?.value;
    if (next === undefined) break;
    keyPlace = entry?.keyPlace ?? next.place;
    found = next;
    depth++;
  }
  return { tree: found, keyPlace, depth };
}

/** Where each value was written, by its path: `layout.isolated.cores`. */
export function listPlaces(tree: Sourced, path: Path = []): Record<string, Place> {
  const places: Record<string, Place> = {};
  if (path.length > 0) places[path.join('.')] = tree.place;
  const children: (readonly [string | number, Sourced])[] =
    tree.kind === 'map'
      ? [...tree.entries].map(([key, { value }]) => [key, value] as const)
      : tree.kind === 'list'
        ? [...tree.items.entries()]
        : [];
  for (const [key, child] of children) Object.assign(places, listPlaces(child, [...path, key]));
  return places;
}

function isRemoval(value: Sourced): boolean {
  return value.kind === 'scalar' && value.value === null;
}
