import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml';
import type { Place, Problem } from './problem.ts';
import type { Sourced, SourcedEntry, SourcedMap } from './sourced.ts';
import { PROFILE, type Wording } from './wording.ts';

/** A profile is a few hundred lines. */
const MOST_CHARACTERS = 1 << 20;
/** Aliases that are followed, nested ones counted each time: a file of nine lines can ask for billions. */
const MOST_ALIASES = 100;

/** The map in a YAML file with the place of everything, and every mistake that YAML itself knows of. Pure. */
export function parseYamlTree(
  text: string,
  file: string,
  wording: Wording = PROFILE,
): { readonly tree: SourcedMap | undefined; readonly problems: readonly Problem[] } {
  const refused = refuseText(text, file, wording);
  if (refused !== undefined) return { tree: undefined, problems: [refused] };
  const lineCounter = new LineCounter();
  const source = text.replace(/^\uFEFF/, '');
  const document = parseDocument(source, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: 'error',
  });
  const reader = new TreeReader({ file, source, lineCounter, document, wording });
  const mistakes = [...document.errors, ...document.warnings].map((error) => reader.describe(error));
  if (mistakes.length > 0) return { tree: undefined, problems: mistakes };
  return { tree: reader.readWhole(), problems: reader.problems };
}

function refuseText(text: string, file: string, { noun }: Wording): Problem | undefined {
  const place = { file, line: 1, column: 1 };
  if (text.length > MOST_CHARACTERS) return { place, message: `is larger than 1 MiB: expected a ${noun}` };
  const bad = text.search(/[\u0000\uFFFD]/);
  if (bad < 0) return undefined;
  const before = text.slice(0, bad).split('\n');
  const at = { file, line: before.length, column: (before.at(-1) as string).length + 1 };
  return { place: at, message: 'is not text: expected YAML in UTF-8', hint: 'Is this the file that you meant?' };
}

interface Parsed {
  readonly file: string;
  readonly source: string;
  readonly lineCounter: LineCounter;
  readonly document: Document.Parsed;
  readonly wording: Wording;
}

class TreeReader {
  readonly problems: Problem[] = [];
  private readonly parsed: Parsed;
  private aliases = 0;

  constructor(parsed: Parsed) {
    this.parsed = parsed;
  }

  readWhole(): SourcedMap | undefined {
    const { contents } = this.parsed.document;
    const place = this.placeAt(contents?.range?.[0] ?? 0);
    if (contents === null || (isScalar(contents) && contents.value === null)) {
      const { noun, beginning, list } = this.parsed.wording;
      this.problems.push({
        place,
        message: `is empty: expected a ${noun}`,
        hint: `Start with ${beginning}, or see ${list}.`,
      });
      return undefined;
    }
    const tree = this.read(contents);
    if (tree?.kind === 'map') return tree;
    if (tree !== undefined) {
      const got = tree.kind === 'list' ? 'a list' : `\`${tree.text.slice(0, 40)}\``;
      this.problems.push({ place, message: `expected a map of keys and values, got ${got}` });
    }
    return undefined;
  }

  describe(error: YAMLError): Problem {
    const { message, hint } = explainYamlError(error, this.parsed.wording);
    return { place: this.placeAt(error.pos[0]), message, ...(hint === undefined ? {} : { hint }) };
  }

  private read(node: Node): Sourced | undefined {
    if (isAlias(node)) return this.readAlias(node);
    const place = this.placeAt(node.range?.[0] ?? 0);
    if (isMap<Node, Node | null>(node)) {
      const entries = new Map<string, SourcedEntry>();
      for (const { key, value } of node.items) this.readEntry(entries, key, value);
      return { kind: 'map', place, entries };
    }
    if (isSeq<Node>(node)) return { kind: 'list', place, items: node.items.flatMap((item) => this.read(item) ?? []) };
    if (!isScalar(node)) return undefined;
    const [start, end] = node.range ?? [0, 0];
    return {
      kind: 'scalar',
      place,
      value: node.value as string | number | boolean | null,
      text: this.parsed.source.slice(start, end),
    };
  }

  private readEntry(entries: Map<string, SourcedEntry>, key: Node, value: Node | null): void {
    const keyPlace = this.placeAt(key.range?.[0] ?? 0);
    const name = isScalar(key) ? String(key.value) : '';
    if (name === '<<') {
      this.problems.push({
        place: keyPlace,
        message: '<<: merge keys are not part of YAML 1.2',
        hint: 'Use `extends: [name]`, or repeat the keys.',
      });
      return;
    }
    const empty = value === null || (isScalar(value) && value.value === null && value.source === '');
    if (empty) {
      const hint = 'Give it a value, or write `null` to remove what is inherited.';
      this.problems.push({ place: keyPlace, message: `${name}: has no value`, hint });
      return;
    }
    const read = this.read(value);
    if (read !== undefined) entries.set(name, { keyPlace, value: read });
  }

  private readAlias(node: Node & { source: string }): Sourced | undefined {
    const place = this.placeAt(node.range?.[0] ?? 0);
    this.aliases++;
    if (this.aliases > MOST_ALIASES) {
      const message = `*${node.source}: more than ${MOST_ALIASES} aliases are followed in this file`;
      if (this.aliases === MOST_ALIASES + 1) this.problems.push({ place, message, hint: 'Repeat the values instead.' });
      return undefined;
    }
    const target = (node as unknown as { resolve(document: Document): Node | undefined }).resolve(this.parsed.document);
    if (target !== undefined) return this.read(target);
    this.problems.push({ place, message: `*${node.source}: there is no anchor &${node.source} before this` });
    return undefined;
  }

  private placeAt(offset: number): Place {
    const { line, col } = this.parsed.lineCounter.linePos(offset);
    return { file: this.parsed.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function explainYamlError(error: YAMLError, { noun }: Wording): { readonly message: string; readonly hint?: string } {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return {
        message: 'this key is there twice in the same map',
        hint: 'Remove one of the two: which of them wins would be a guess.',
      };
    case 'TAB_AS_INDENT':
      return {
        message: 'a tab indents this line: expected spaces',
        hint: 'Set the editor to indent YAML with two spaces.',
      };
    case 'MULTIPLE_DOCS':
      return { message: `a second document begins here: expected one ${noun} per file`, hint: 'Remove the `---`.' };
    case 'NON_STRING_KEY':
      return { message: 'this key is a list or a map: expected a word' };
    case 'TAG_RESOLVE_FAILED':
      return { message: `tags such as !!binary or !name are not used in ${noun}s`, hint: 'Remove the tag.' };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        message: 'two keys on one line',
        hint: 'Put the second key on a line of its own, indented, or put the text in quotes.',
      };
    case 'BAD_INDENT':
    case 'MISSING_CHAR':
      return {
        message: `is not YAML: ${lowerFirst(error.message)}`,
        hint: 'A bracket or quote may be open before this line.',
      };
    default:
      return { message: `is not YAML: ${lowerFirst(error.message)}` };
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
