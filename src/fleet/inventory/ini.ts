import { ProfileError } from '../../errors.ts';
import { parseHostName } from './host-name.ts';
import { BadRange, expandRanges } from './host-range.ts';
import { GroupCycle, type Inventory } from './inventory.ts';
import { parseValue } from './python-literal.ts';
import { OpenQuotation, splitWords } from './shell-words.ts';

const SECTION = /^\[(?<group>[^:\]\s]+)(?::(?<kind>\w+))?\]\s*(?:#.*)?$/;
const GROUP_NAME = /^(?<name>[^:\]\s]+)\s*(?:#.*)?$/;
const KINDS = ['hosts', 'children', 'vars'] as const;
type Kind = (typeof KINDS)[number];

/** A group that is named before it is declared; where is the line. */
type Pending =
  | { readonly is: 'vars'; readonly line: number }
  | { readonly is: 'child'; readonly line: number; readonly parents: string[] };

/** Reads an inventory in Ansible's INI form. Throws ProfileError with file:line. */
export function readIni(inventory: Inventory, text: string, file: string): void {
  new IniReader(inventory, file).read(text);
}

class IniReader {
  readonly #inventory: Inventory;
  readonly #file: string;
  readonly #pending = new Map<string, Pending>();
  #line = 0;
  #group = 'ungrouped';
  #kind: Kind = 'hosts';

  constructor(inventory: Inventory, file: string) {
    this.#inventory = inventory;
    this.#file = file;
  }

  read(text: string): void {
    for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|[\n\r]/)) {
      this.#line++;
      const trimmed = line.trim();
      if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue;
      this.#unlessMistaken(() => this.#readLine(trimmed));
    }
    for (const [name, pending] of this.#pending) this.#refusePending(name, pending);
  }

  #readLine(line: string): void {
    const section = SECTION.exec(line)?.groups;
    if (section !== undefined) this.#open(section.group as string, section.kind ?? 'hosts');
    else if (line.startsWith('[') && line.endsWith(']'))
      this.#refuse(`expected [GROUP], [GROUP:children] or [GROUP:vars], without spaces, got ${line}`);
    else if (this.#kind === 'hosts') this.#addHosts(line);
    else if (this.#kind === 'vars') this.#addVariable(line);
    else this.#addChild(line);
  }

  #open(group: string, kind: string): void {
    if (!isKind(kind)) this.#refuse(`[${group}:${kind}]: expected children, vars or hosts behind the colon`);
    this.#group = group;
    this.#kind = kind;
    const pending = this.#pending.get(group);
    if (!this.#inventory.groups.has(group)) {
      if (kind === 'vars' && pending === undefined) this.#pending.set(group, { is: 'vars', line: this.#line });
      this.#inventory.addGroup(group);
    }
    if (pending === undefined || kind === 'vars') return;
    this.#pending.delete(group);
    if (pending.is === 'child') for (const parent of pending.parents) this.#inventory.addChild(parent, group);
  }

  #addHosts(line: string): void {
    const [pattern = '', ...assignments] = splitWords(line);
    const { names, port } = expandHost(pattern);
    if (pattern === '' || pattern === '---')
      this.#refuse(`expected the name of a host, got ${JSON.stringify(pattern)}`);
    if (pattern.endsWith(':') && port === undefined) this.#refuse(`${pattern} expected a port behind the colon`);
    for (const assignment of assignments) {
      if (!assignment.includes('='))
        this.#refuse(`expected KEY=VALUE behind the name of a host, got ${JSON.stringify(assignment)}`);
    }
    for (const name of names) {
      this.#inventory.addHost(name, this.#group, port);
      for (const assignment of assignments) {
        const [key, value] = splitAssignment(assignment);
        this.#inventory.setVariable(name, key, parseValue(value));
      }
    }
  }

  #addVariable(line: string): void {
    if (!line.includes('=')) this.#refuse(`expected KEY=VALUE in [${this.#group}:vars], got ${JSON.stringify(line)}`);
    const [key, value] = splitAssignment(line);
    this.#inventory.setVariable(this.#group, key.trim(), parseValue(value.trim()));
  }

  #addChild(line: string): void {
    const child = GROUP_NAME.exec(line)?.groups?.name;
    if (child === undefined)
      this.#refuse(`expected the name of a group in [${this.#group}:children], got ${JSON.stringify(line)}`);
    const pending = this.#pending.get(child);
    if (this.#inventory.groups.has(child)) this.#inventory.addChild(this.#group, child);
    else if (pending?.is === 'child') pending.parents.push(this.#group);
    else this.#pending.set(child, { is: 'child', line: this.#line, parents: [this.#group] });
  }

  #refusePending(name: string, pending: Pending): never {
    this.#line = pending.line;
    if (pending.is === 'vars') this.#refuse(`[${name}:vars]: there is no group ${name}`, `Declare it: [${name}].`);
    this.#refuse(`[${pending.parents.at(-1)}:children]: there is no group ${name}`, `Declare it: [${name}].`);
  }

  #unlessMistaken(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof BadRange || error instanceof GroupCycle || error instanceof OpenQuotation)
        this.#refuse(error.message);
      throw error;
    }
  }

  #refuse(message: string, ...next: readonly string[]): never {
    throw new ProfileError(`${this.#file}:${this.#line}`, message, { next });
  }
}

function isKind(kind: string): kind is Kind {
  return (KINDS as readonly string[]).includes(kind);
}

function splitAssignment(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The hosts of a pattern such as `web[1:3]:7000`. Throws BadRange. */
export function expandHost(pattern: string): { readonly names: readonly string[]; readonly port: number | undefined } {
  const parsed = parseHostName(pattern);
  return { names: expandRanges(parsed?.name ?? pattern), port: parsed?.port };
}
