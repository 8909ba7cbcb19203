import { basename, dirname, join, resolve } from 'node:path';
import { HftError, HostError, UsageError } from '../errors.ts';
import type { HostReader } from '../host/host.ts';
import { findNearest } from './nearest.ts';
import { findTree, type PreparedProfiles } from './prepared.ts';
import { InvalidProfile, type Place, type Problem } from './problem.ts';
import { mergeSourced, type Sourced, type SourcedMap } from './sourced.ts';
import { PROFILE, type Wording } from './wording.ts';

/** Where profiles come from. The reader is this machine, also when another one is looked at. */
export interface ProfileStore {
  /** Folders in which `NAME.yaml` is looked for, the first one wins. */
  readonly searchPath: readonly string[];
  readonly reader: Pick<HostReader, 'readText' | 'list'>;
  /** undefined where the sources run as they are: then every file is parsed and checked. */
  readonly prepared?: PreparedProfiles | undefined;
  /** What the files hold; profiles when it is left out. */
  readonly wording?: Wording;
}

/** A profile and what it extends as one tree, before its keys are looked at. */
export interface SourcedProfile {
  readonly name: string;
  readonly file: string;
  /** Every file that was read, ancestors first. */
  readonly sources: readonly string[];
  /** Without `extends`, which is done with; `name` and `description` are the file's own. */
  readonly tree: SourcedMap;
  /** Mistakes that did not keep the files from being read. */
  readonly problems: readonly Problem[];
  /** All of it comes from files that the build knew. */
  readonly isPrepared: boolean;
}

/** Keys that say something about one file and are not handed on to those that extend it. */
const OWN_KEYS = ['name', 'description'];

/** Reads a profile by name or path with everything it extends. Throws UsageError, InvalidProfile. */
export async function readProfileTree(nameOrPath: string, store: ProfileStore): Promise<SourcedProfile> {
  const file = await findProfile(nameOrPath, store);
  return readFile(file, { store, chain: [] });
}

/** One file by name or path, without what it extends. Throws UsageError, InvalidProfile. */
export async function readProfileFile(
  nameOrPath: string,
  store: ProfileStore,
): Promise<{ readonly file: string; readonly text: string; readonly tree: SourcedMap }> {
  const file = await findProfile(nameOrPath, store);
  const text = await readText(file, store);
  const { tree } = await parseFile(text, file, store);
  return { file, text, tree };
}

/** The names that `nameOrPath` can have, sorted. */
export async function listProfileNames(store: ProfileStore): Promise<readonly string[]> {
  const folders = await Promise.all(store.searchPath.map(async (folder) => (await store.reader.list(folder)) ?? []));
  const files = folders.flat().filter((file) => file.endsWith('.yaml'));
  return [...new Set(files.map((file) => basename(file, '.yaml')))].sort();
}

interface Reading {
  readonly store: ProfileStore;
  /** The files that extend one another down to here. */
  readonly chain: readonly string[];
}

interface ParsedFile {
  readonly tree: SourcedMap;
  readonly problems: readonly Problem[];
  readonly isPrepared: boolean;
}

async function parseFile(text: string, file: string, { prepared, wording }: ProfileStore): Promise<ParsedFile> {
  const known = prepared && findTree(prepared, text, file);
  if (known !== undefined) return { tree: known, problems: [], isPrepared: true };
  const { parseYamlTree } = await import('./yaml-tree.ts');
  const { tree, problems } = parseYamlTree(text, file, wording);
  if (tree === undefined) throw new InvalidProfile(problems);
  return { tree, problems, isPrepared: false };
}

async function readFile(file: string, reading: Reading): Promise<SourcedProfile> {
  const { tree, problems, isPrepared } = await parseFile(await readText(file, reading.store), file, reading.store);
  const chain = [...reading.chain, file];
  const parents: SourcedProfile[] = [];
  for (const reference of readExtends(tree, wordingOf(reading.store)))
    parents.push(await readParent(reference, { ...reading, chain }));
  const inherited = parents
    .map((parent) => without(parent.tree, OWN_KEYS))
    .reduce(mergeSourced, { ...tree, entries: new Map() });
  return {
    name: basename(file).replace(/\.ya?ml$/, ''),
    file,
    sources: [...new Set([...parents.flatMap((parent) => parent.sources), file])],
    tree: mergeSourced(inherited, without(tree, ['extends'])),
    problems: [...parents.flatMap((parent) => parent.problems), ...problems],
    isPrepared: isPrepared && parents.every((parent) => parent.isPrepared),
  };
}

interface Reference {
  readonly text: string;
  readonly place: Place;
}

function readExtends(tree: SourcedMap, { noun }: Wording): readonly Reference[] {
  const value = tree.entries.get('extends')?.value;
  if (value === undefined) return [];
  const items: readonly Sourced[] = value.kind === 'list' ? value.items : [value];
  return items.map((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string' && item.value !== '')
      return { text: item.value, place: item.place };
    throw new InvalidProfile([
      { place: item.place, message: `extends: expected the name or path of a ${noun}, or a list of them` },
    ]);
  });
}

async function readParent({ text, place }: Reference, reading: Reading): Promise<SourcedProfile> {
  const file = await findParent({ text, place }, reading);
  const first = reading.chain.findIndex((other) => resolve(other) === resolve(file));
  if (first >= 0) {
    const circle = [...reading.chain.slice(first), file].map((name) => basename(name, '.yaml')).join(' -> ');
    throw new InvalidProfile([{ place, message: `extends: these files extend each other in a circle: ${circle}` }]);
  }
  return readFile(file, reading);
}

/** A name is not looked up in the file itself, so that /etc/hft/profiles/colo.yaml can extend the shipped colo. */
async function findParent({ text, place }: Reference, { store, chain }: Reading): Promise<string> {
  const own = chain.at(-1) as string;
  if (isPath(text)) {
    const file = text.startsWith('/') ? text : join(dirname(own), text);
    if ((await readOptional(file, store)) !== undefined) return file;
    throw new InvalidProfile([{ place, message: `extends: there is no file ${file}` }]);
  }
  for (const folder of [dirname(own), ...store.searchPath]) {
    const file = join(folder, `${text}.yaml`);
    if (resolve(file) !== resolve(own) && (await readOptional(file, store)) !== undefined) return file;
  }
  throw new InvalidProfile([await describeUnknown(text, place, store)]);
}

async function describeUnknown(text: string, place: Place, store: ProfileStore): Promise<Problem> {
  const names = await listProfileNames(store);
  const nearest = findNearest(text, names);
  const hint = nearest === undefined ? listNames(names, store) : `Did you mean ${nearest}?`;
  return { place, message: `extends: there is no ${wordingOf(store).noun} ${text}`, hint };
}

async function findProfile(nameOrPath: string, store: ProfileStore): Promise<string> {
  if (isPath(nameOrPath)) return nameOrPath;
  for (const folder of store.searchPath) {
    const file = join(folder, `${nameOrPath}.yaml`);
    if ((await readOptional(file, store)) !== undefined) return file;
  }
  const names = await listProfileNames(store);
  const nearest = findNearest(nameOrPath, names);
  throw new UsageError(`There is no ${wordingOf(store).noun} ${nameOrPath} in ${store.searchPath.join(' or ')}.`, {
    next: [
      nearest === undefined ? listNames(names, store) : `Did you mean ${nearest}?`,
      `A file of your own is given by its path: ./${nameOrPath}.yaml`,
    ],
  });
}

async function readText(file: string, store: ProfileStore): Promise<string> {
  const text = await readOptional(file, store);
  if (text !== undefined) return text;
  throw new UsageError(`There is no file ${file}.`, {
    next: [`${wordingOf(store).list} shows the ${wordingOf(store).noun}s that are there.`],
  });
}

async function readOptional(file: string, store: ProfileStore): Promise<string | undefined> {
  try {
    return await store.reader.readText(file);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const next = error.code === 'EISDIR' ? ['Give the path of a file.'] : ['Check who may read it: ls -l shows it.'];
    const { noun } = wordingOf(store);
    throw new HftError(`The ${noun} ${file} cannot be read: ${error.code}.`, { exitCode: 2, next, cause: error });
  }
}

function wordingOf({ wording }: ProfileStore): Wording {
  return wording ?? PROFILE;
}

/** `Profiles: base, colo.` */
function listNames(names: readonly string[], store: ProfileStore): string {
  const { noun } = wordingOf(store);
  return `${noun[0]?.toUpperCase()}${noun.slice(1)}s: ${names.join(', ') || 'none'}.`;
}

function isPath(text: string): boolean {
  return text.includes('/') || /\.ya?ml$/.test(text);
}

function without(tree: SourcedMap, keys: readonly string[]): SourcedMap {
  return { ...tree, entries: new Map([...tree.entries].filter(([key]) => !keys.includes(key))) };
}
