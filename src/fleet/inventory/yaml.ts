import {
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type ScalarTag,
  type Tags,
} from 'yaml';
import { ProfileError } from '../../errors.ts';
import { BadRange } from './host-range.ts';
import { expandHost } from './ini.ts';
import { GroupCycle, type Inventory } from './inventory.ts';
import type { Value } from './python-literal.ts';

interface Entry {
  readonly key: string;
  /** `file:line:col` of the key. */
  readonly where: string;
  readonly node: Node | null;
}

const MOST_ALIASES = 100;

/** YAML 1.1 as PyYAML has it: `y` and `n` are text, and so is `1e3`. Dates are the text that was written. */
const PYTHON_TAGS: readonly ScalarTag[] = [
  {
    tag: 'tag:yaml.org,2002:bool',
    default: true,
    test: /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
    resolve: (text) => /^(?:yes|true|on)$/i.test(text),
  },
  {
    tag: 'tag:yaml.org,2002:float',
    default: true,
    format: 'EXP',
    test: /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+)[eE][-+][0-9]+$/,
    resolve: (text) => Number(text.replaceAll('_', '')),
  },
];

const TIMESTAMP = 'tag:yaml.org,2002:timestamp';

const OPTIONS = {
  version: '1.1',
  merge: true,
  logLevel: 'silent',
  prettyErrors: false,
  customTags: (tags: Tags): Tags => {
    const isReplaced = (tag: Tags[number]) =>
      typeof tag !== 'string' &&
      (tag.tag === TIMESTAMP || PYTHON_TAGS.some((own) => own.tag === tag.tag && own.format === tag.format));
    return [...PYTHON_TAGS, ...tags.filter((tag) => !isReplaced(tag))];
  },
} as const;

/** Reads an inventory in Ansible's YAML form. Throws ProfileError with file:line:col; also for what Ansible leaves out with a warning. */
export function readYaml(inventory: Inventory, text: string, file: string): void {
  new YamlReader(inventory, text, file).read();
}

/** The variables of a file in group_vars or host_vars. Throws ProfileError. */
export function readVariables(text: string, file: string): ReadonlyMap<string, Value> {
  return new YamlReader(undefined, text, file).readVariables();
}

/** Whether a file without an extension is an inventory in YAML: Ansible tries that first. */
export function isYamlMap(text: string): boolean {
  const document = parseDocument(text, OPTIONS);
  return document.errors.length === 0 && isMap(document.contents);
}

class YamlReader {
  readonly #inventory: Inventory | undefined;
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document;

  constructor(inventory: Inventory | undefined, text: string, file: string) {
    this.#inventory = inventory;
    this.#file = file;
    this.#document = parseDocument(text.replace(/^\uFEFF/, ''), {
      ...OPTIONS,
      lineCounter: this.#lines,
    });
    const [error] = this.#document.errors;
    if (error !== undefined) this.#refuse(this.#placeAt(error.pos[0]), `is not YAML: ${error.message}`);
  }

  read(): void {
    const { contents } = this.#document;
    if (!isMap(contents)) this.#refuse(this.#placeOf(contents), 'expected groups with `hosts`, `children` and `vars`');
    for (const entry of this.#entriesOf(contents)) this.#readGroup(entry);
  }

  readVariables(): ReadonlyMap<string, Value> {
    const { contents } = this.#document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return new Map();
    if (!isMap(contents)) this.#refuse(this.#placeOf(contents), 'expected variables: a map of names and values');
    return new Map(this.#entriesOf(contents).map(({ key, node }) => [key, this.#valueOf(node)]));
  }

  #readGroup({ key: group, where, node }: Entry): void {
    const inventory = this.#inventory as Inventory;
    const contents = this.#resolve(node);
    if (!isMap(contents) && !isEmpty(contents))
      this.#refuse(where, `${group}: expected \`hosts\`, \`children\` or \`vars\` in a group`);
    inventory.addGroup(group);
    if (!isMap(contents)) return;
    for (const entry of this.#entriesOf(contents)) {
      const members = this.#membersOf(entry);
      if (entry.key === 'vars')
        for (const { key, node: value } of members) inventory.setVariable(group, key, this.#valueOf(value));
      else if (entry.key === 'children') for (const member of members) this.#readChild(group, member);
      else if (entry.key === 'hosts') for (const member of members) this.#readHosts(group, member);
      else this.#refuse(entry.where, `${group}.${entry.key}: a group has \`hosts\`, \`children\` and \`vars\` alone`);
    }
  }

  #readChild(group: string, member: Entry): void {
    this.#readGroup(member);
    this.#unlessMistaken(member.where, () => this.#inventory?.addChild(group, member.key));
  }

  #readHosts(group: string, { key: pattern, where, node }: Entry): void {
    const inventory = this.#inventory as Inventory;
    const contents = this.#resolve(node);
    if (!isMap(contents) && !isEmpty(contents)) this.#refuse(where, `${pattern}: expected the variables of the host`);
    const vars = isMap(contents) ? this.#entriesOf(contents) : [];
    this.#unlessMistaken(where, () => {
      const { names, port } = expandHost(pattern);
      for (const name of names) {
        inventory.addHost(name, group, port);
        for (const { key, node: value } of vars) inventory.setVariable(name, key, this.#valueOf(value));
      }
    });
  }

  /** One name alone stands for a map of it, as `hosts: box7` does. */
  #membersOf({ key, where, node }: Entry): readonly Entry[] {
    const contents = this.#resolve(node);
    if (isEmpty(contents)) return [];
    if (isMap(contents)) return this.#entriesOf(contents);
    if (isScalar(contents) && typeof contents.value === 'string') return [{ key: contents.value, where, node: null }];
    return this.#refuse(where, `${key}: expected a map, with a colon behind each name, not a list`);
  }

  #entriesOf(map: Node): readonly Entry[] {
    if (!isMap(map)) return [];
    const own = map.items.map((pair) => this.#toEntry(pair as Pair<Node, Node | null>));
    const merged = own.filter(({ key }) => key === '<<').flatMap(({ node, where }) => this.#mergedOf(node, where));
    const entries = [...merged, ...own.filter(({ key }) => key !== '<<')];
    return [...new Map(entries.map((entry) => [entry.key, entry])).values()];
  }

  #mergedOf(node: Node | null, where: string): readonly Entry[] {
    const contents = this.#resolve(node);
    if (!isMap(contents)) this.#refuse(where, '<<: expected *NAME of a map');
    return this.#entriesOf(contents);
  }

  #toEntry({ key, value }: Pair<Node, Node | null>): Entry {
    const where = this.#placeOf(key);
    const isMerge = isScalar(key) && (key.value === '<<' || typeof key.value === 'symbol');
    if (isMerge) return { key: '<<', where, node: value };
    if (!isScalar(key) || typeof key.value !== 'string')
      return this.#refuse(
        where,
        `expected text for a name, got ${isScalar(key) ? String(key.value) : 'a map or a list'}`,
        ['Put it in quotes.'],
      );
    return { key: key.value, where, node: value };
  }

  #resolve(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
  }

  #valueOf(node: Node | null): Value {
    const value: unknown = node === null ? null : node.toJS(this.#document, { maxAliasCount: MOST_ALIASES });
    return toPlain(value);
  }

  #unlessMistaken(where: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof BadRange || error instanceof GroupCycle) this.#refuse(where, error.message);
      throw error;
    }
  }

  #placeOf(node: unknown): string {
    const range = (node as { range?: readonly number[] } | null)?.range;
    return this.#placeAt(range?.[0] ?? 0);
  }

  #placeAt(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }

  #refuse(where: string, message: string, next: readonly string[] = []): never {
    throw new ProfileError(where, message, { next });
  }
}

function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

function toPlain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (['string', 'number', 'boolean'].includes(typeof value)) return value as Value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [String(key), toPlain(each)]));
  if (value instanceof Set) return [...value].map(toPlain);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toPlain(each)]));
}
