/**
 * What GRUB would show and boot: a grub.cfg carried out against an environment block, without touching anything.
 * Commands of GRUB that do not decide what is booted do nothing here.
 */
import type { BlsEntry } from './bls.ts';
import { parseGrubScript, type Statement, type Word } from './grub-script.ts';
import type { GrubEnvironment } from './grubenv.ts';

export interface GrubEntry {
  readonly title: string;
  readonly id: string | undefined;
  /** Options of the entry other than its id: `--class debian --unrestricted`. */
  readonly options: readonly string[];
  /** The text between the braces; undefined for an entry made from a boot loader specification file. */
  readonly source: string | undefined;
  readonly linux: { readonly command: string; readonly path: string; readonly arguments: string } | undefined;
  readonly initrd: readonly string[];
  /** For a submenu. */
  readonly entries: readonly GrubEntry[] | undefined;
}

export interface GrubMenu {
  readonly entries: readonly GrubEntry[];
  /** The default as grub.cfg sets it: an index, an id or a title, with `>` between levels. */
  readonly selection: string;
  readonly variables: GrubEnvironment;
}

export interface GrubInputs {
  /** grub.cfg */
  readonly script: string;
  /** The environment block; undefined when there is none. */
  readonly environment: GrubEnvironment | undefined;
  /** custom.cfg next to grub.cfg */
  readonly custom: string | undefined;
  /** Files under loader/entries, for `blscfg`. */
  readonly blsEntries: readonly BlsEntry[];
}

const PREFIX = '(prefix)';

/** Variables that GRUB itself sets; the platform makes no difference to which entry is the default. */
const BUILT_IN = {
  prefix: PREFIX,
  config_directory: PREFIX,
  grub_platform: 'pc',
  feature_menuentry_id: 'y',
  feature_default_font_path: 'y',
  feature_all_video_module: 'y',
  feature_platform_search_hint: 'y',
  feature_timeout_style: 'y',
};

/** Carries out a grub.cfg. Throws GrubSyntaxError when it is none. */
export function evaluateGrub(inputs: GrubInputs): GrubMenu {
  const machine = new GrubMachine(inputs);
  machine.run(parseGrubScript(inputs.script));
  return { entries: machine.entries, selection: machine.variables.get('default') ?? '', variables: machine.variables };
}

/** The entry that GRUB boots when nobody touches the keyboard; undefined when the menu is empty. */
export function defaultGrubEntry(menu: GrubMenu): GrubEntry | undefined {
  let level: readonly GrubEntry[] = menu.entries;
  let rest = menu.selection;
  for (;;) {
    const { entry, after } = findSelected(level, rest);
    if (!entry?.entries) return entry;
    level = entry.entries;
    rest = after;
  }
}

/** GRUB takes a number, an id or a title, and the first entry for what it cannot find. */
function findSelected(
  entries: readonly GrubEntry[],
  selection: string,
): { entry: GrubEntry | undefined; after: string } {
  const [head = '', ...tail] = selection.split('>');
  const named = entries.find((entry) => entry.id === head || entry.title === head);
  const found = /^\d+$/.test(head) ? entries[Number(head)] : named;
  return { entry: found ?? entries[0], after: tail.join('>') };
}

class GrubMachine {
  readonly variables = new Map<string, string>(Object.entries(BUILT_IN));
  readonly entries: GrubEntry[] = [];
  private readonly inputs: GrubInputs;
  private linux: GrubEntry['linux'];
  private initrd: readonly string[] = [];

  constructor(inputs: GrubInputs, variables?: GrubEnvironment) {
    this.inputs = inputs;
    if (variables) this.variables = new Map(variables);
  }

  run(statements: readonly Statement[]): void {
    for (const statement of statements) this.step(statement);
  }

  private step(statement: Statement): void {
    if (statement.kind === 'command') this.command(statement.words);
    else if (statement.kind === 'menu') this.entries.push(this.menu(statement));
    else if (statement.kind === 'if') {
      const branch = statement.branches.find(({ condition }) => this.holds(condition));
      this.run(branch ? branch.body : statement.otherwise);
    }
  }

  private command(words: readonly Word[]): void {
    const [name = '', ...given] = this.expand(words);
    const assigned = (name === 'set' ? (given[0] ?? '') : name).match(/^(?<name>[A-Za-z0-9_]+)=(?<value>.*)$/s)?.groups;
    if (assigned) this.variables.set(assigned.name as string, assigned.value as string);
    else if (name === 'unset') for (const variable of given) this.variables.delete(variable);
    else if (name === 'load_env') this.loadEnvironment();
    else if (name === 'source' || name === '.' || name === 'configfile') this.source(given[0]);
    else if (name === 'blscfg') this.entries.push(...this.inputs.blsEntries.map((entry) => this.fromBls(entry)));
    else if (/^linux(?:16|efi)?$/.test(name)) {
      this.linux = { command: name, path: given[0] ?? '', arguments: given.slice(1).join(' ') };
    } else if (/^initrd(?:16|efi)?$/.test(name)) this.initrd = given;
  }

  private loadEnvironment(): void {
    for (const [name, value] of this.inputs.environment ?? []) this.variables.set(name, value);
  }

  private source(path: string | undefined): void {
    if (path === `${PREFIX}/custom.cfg` && this.inputs.custom !== undefined)
      this.run(parseGrubScript(this.inputs.custom));
  }

  private menu(statement: Extract<Statement, { kind: 'menu' }>): GrubEntry {
    const words = this.expand(statement.words);
    const { title, id, options } = splitHeader(words);
    const inner = new GrubMachine(this.inputs, this.variables);
    inner.run(statement.body.statements);
    return {
      title,
      id,
      options,
      source: statement.body.source,
      linux: inner.linux,
      initrd: inner.initrd,
      entries: statement.submenu ? inner.entries : undefined,
    };
  }

  private fromBls(entry: BlsEntry): GrubEntry {
    const resolve = (text: string) =>
      text.replace(/\$\{?(\w+)\}?/g, (_, name: string) => this.variables.get(name) ?? '');
    return {
      title: entry.title ?? entry.id,
      id: entry.id,
      options: [],
      source: undefined,
      linux:
        entry.linux === undefined
          ? undefined
          : { command: 'linux', path: entry.linux, arguments: resolve(entry.options) },
      initrd: entry.initrd.flatMap((file) => resolve(file).split(/\s+/)).filter((file) => file !== ''),
      entries: undefined,
    };
  }

  private holds(condition: readonly Statement[]): boolean {
    const last = condition.at(-1);
    if (last?.kind !== 'command') return false;
    const words = this.expandQuoted(last.words);
    const [name, ...given] = words;
    if (name === '[' || name === 'test')
      return new Test(
        given.filter((word) => word !== ']'),
        this.hasFile,
      ).value();
    return name === 'true' || name === 'search';
  }

  private readonly hasFile = (path: string): boolean => {
    if (path === `${PREFIX}/grubenv`) return this.inputs.environment !== undefined;
    return path === `${PREFIX}/custom.cfg` && this.inputs.custom !== undefined;
  };

  /** Unquoted variables would be split at blanks; joined by blanks again that makes no difference to a command line. */
  private expand(words: readonly Word[]): string[] {
    return this.expandQuoted(words).filter((word, index) => word !== '' || index === 0);
  }

  private expandQuoted(words: readonly Word[]): string[] {
    return words.map((word) =>
      word.map((piece) => ('text' in piece ? piece.text : (this.variables.get(piece.variable) ?? ''))).join(''),
    );
  }
}

function splitHeader(words: readonly string[]): { title: string; id: string | undefined; options: readonly string[] } {
  const [title = '', ...rest] = words;
  const at = rest.findIndex((word) => word === '--id' || word.startsWith('--id='));
  if (at < 0) return { title, id: undefined, options: rest };
  const inline = (rest[at] as string).split('=')[1];
  const taken = inline === undefined ? 2 : 1;
  return { title, id: inline ?? rest[at + 1], options: [...rest.slice(0, at), ...rest.slice(at + taken)] };
}

/** `[ … ]` of GRUB: strings, numbers, files, `!`, `-a`, `-o`; `-a` binds tighter. */
class Test {
  private position = 0;
  private readonly words: readonly string[];
  private readonly hasFile: (path: string) => boolean;

  constructor(words: readonly string[], hasFile: (path: string) => boolean) {
    this.words = words;
    this.hasFile = hasFile;
  }

  value(): boolean {
    let result = this.conjunction();
    while (this.words[this.position] === '-o') {
      this.position++;
      const right = this.conjunction();
      result = result || right;
    }
    return result;
  }

  private conjunction(): boolean {
    let result = this.single();
    while (this.words[this.position] === '-a') {
      this.position++;
      const right = this.single();
      result = result && right;
    }
    return result;
  }

  private single(): boolean {
    const first = this.words[this.position] ?? '';
    const second = this.words[this.position + 1];
    if (first === '!' && second !== undefined) {
      this.position++;
      return !this.single();
    }
    if (second !== undefined && BINARY[second] && this.position + 2 < this.words.length) {
      const third = this.words[this.position + 2] as string;
      this.position += 3;
      return (BINARY[second] as (left: string, right: string) => boolean)(first, third);
    }
    if (/^-[a-z]$/.test(first) && second !== undefined) {
      this.position += 2;
      return this.unary(first, second);
    }
    this.position++;
    return first !== '';
  }

  private unary(operator: string, operand: string): boolean {
    if (operator === '-n') return operand !== '';
    if (operator === '-z') return operand === '';
    return this.hasFile(operand);
  }
}

const BINARY: Readonly<Record<string, (left: string, right: string) => boolean>> = {
  '=': (left, right) => left === right,
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '-eq': (left, right) => Number(left) === Number(right),
  '-ne': (left, right) => Number(left) !== Number(right),
  '-lt': (left, right) => Number(left) < Number(right),
  '-le': (left, right) => Number(left) <= Number(right),
  '-gt': (left, right) => Number(left) > Number(right),
  '-ge': (left, right) => Number(left) >= Number(right),
};
