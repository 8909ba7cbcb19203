import { HftError } from '../errors.ts';
import { CpuSetSyntaxError, parseCpulist } from '../topology/cpulist.ts';

/**
 * CPU sets as people write them: `housekeeping`, `node(0) - 0-3`, `nic(eth1) & isolated`, `0-3,8`.
 *
 *     sum    := meet (('+' | '-') meet)*      united, removed; from left to right
 *     meet   := list ('&' list)*              what both have
 *     list   := term (',' term)*              united; binds closest, so `all - 0,1` removes both
 *     term   := cpulist range | name | name '(' argument ')' | '(' sum ')'
 *
 * A `-` between two numbers without spaces is a range, as in the kernel's cpulists.
 */
export type CpuExpression =
  | { readonly kind: 'cpus'; readonly cpus: readonly number[]; readonly column: number }
  | { readonly kind: 'name'; readonly name: PlainName; readonly column: number }
  | { readonly kind: 'part'; readonly of: PartName; readonly numbers: readonly number[]; readonly column: number }
  | { readonly kind: 'nic'; readonly nic: string; readonly column: number }
  | { readonly kind: 'apply'; readonly name: SetFunction; readonly operand: CpuExpression; readonly column: number }
  | { readonly kind: 'join'; readonly operator: Operator; readonly left: CpuExpression; readonly right: CpuExpression };

export type Operator = '+' | '-' | '&' | ',';

/** Names that stand alone. `nic` without a name is the trading NIC's. */
export const PLAIN_NAMES = [
  'all',
  'none',
  'housekeeping',
  'irq',
  'isolated',
  'nic',
  'performance',
  'efficiency',
] as const;
export type PlainName = (typeof PLAIN_NAMES)[number];

/** Parts of the machine, chosen by their numbers: `node(0)`, `package(0-1)`. */
export const PART_NAMES = ['node', 'package', 'die', 'l3'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** cores(2): all hardware threads of the core of CPU 2. primary(x): the lowest hardware thread of each core in x. */
export const SET_FUNCTIONS = ['cores', 'primary'] as const;
export type SetFunction = (typeof SET_FUNCTIONS)[number];

/** A CPU set expression that is wrong in itself or on this machine. Exit 2. `column` counts from 1. */
export class CpuExpressionError extends HftError {
  readonly expression: string;
  readonly column: number;

  constructor(place: { expression: string; column: number }, problem: string, next: readonly string[] = []) {
    super(`CPU set "${place.expression}", column ${place.column}: ${problem}`, { exitCode: 2, next });
    this.expression = place.expression;
    this.column = place.column;
  }
}

interface Token {
  readonly text: string;
  readonly kind: 'number' | 'name' | 'symbol' | 'end';
  readonly column: number;
}

/** Throws CpuExpressionError. Looks at the text only: whether the machine has these CPUs is another question. */
export function parseCpuExpression(expression: string): CpuExpression {
  const parser = new Parser(expression);
  return parser.parseWhole();
}

const TOKEN = /\s*(?:(?<number>\d+(?:-\d+(?::\d+\/\d+)?)?)|(?<name>[A-Za-z][A-Za-z0-9]*)|(?<symbol>[-+&,()]))/y;

class Parser {
  private readonly expression: string;
  private position = 0;

  constructor(expression: string) {
    this.expression = expression;
  }

  parseWhole(): CpuExpression {
    const tree = this.parseSum();
    const rest = this.peek();
    if (rest.kind !== 'end') throw this.unexpected(rest, 'one of + - & , or the end');
    return tree;
  }

  private parseSum(): CpuExpression {
    let left = this.parseMeet();
    for (let token = this.peek(); token.text === '+' || token.text === '-'; token = this.peek()) {
      if (token.text === '-') this.refuseUnclearMinus(token);
      this.take();
      left = { kind: 'join', operator: token.text as Operator, left, right: this.parseMeet() };
    }
    return left;
  }

  private parseMeet(): CpuExpression {
    let left = this.parseList();
    while (this.peek().text === '&') {
      this.take();
      left = { kind: 'join', operator: '&', left, right: this.parseList() };
    }
    return left;
  }

  private parseList(): CpuExpression {
    let left = this.parseTerm();
    while (this.peek().text === ',') {
      this.take();
      left = { kind: 'join', operator: ',', left, right: this.parseTerm() };
    }
    return left;
  }

  private parseTerm(): CpuExpression {
    const token = this.take();
    if (token.kind === 'number')
      return { kind: 'cpus', cpus: this.readNumbers(token.text, token.column), column: token.column };
    if (token.kind === 'name') return this.parseName(token);
    if (token.text !== '(') throw this.unexpected(token, 'a CPU number, a name or (');
    const inner = this.parseSum();
    this.expectClosing();
    return inner;
  }

  private parseName(token: Token): CpuExpression {
    const { text: name, column } = token;
    const called = this.expression[this.position] === '(';
    if (called && name === 'nic') return { kind: 'nic', nic: this.takeArgument(name).text, column };
    if (called && isOneOf(PART_NAMES, name)) {
      const argument = this.takeArgument(name);
      return { kind: 'part', of: name, numbers: this.readNumbers(argument.text, argument.column), column };
    }
    if (called && isOneOf(SET_FUNCTIONS, name)) {
      this.take();
      const operand = this.parseSum();
      this.expectClosing();
      return { kind: 'apply', name, operand, column };
    }
    if (!called && isOneOf(PLAIN_NAMES, name)) return { kind: 'name', name, column };
    throw this.unknownName(name, column, called);
  }

  /** Interface names may hold anything but a slash and white space, so the argument is taken as it stands. */
  private takeArgument(name: string): { text: string; column: number } {
    const start = this.position + 1;
    const end = this.expression.indexOf(')', start);
    if (end < 0) throw this.errorAt(start, `${name}( is not closed: expected )`);
    this.position = end + 1;
    const text = this.expression.slice(start, end).trim();
    if (text === '')
      throw this.errorAt(start + 1, `${name}() needs ${name === 'nic' ? 'an interface name' : 'a number'}`);
    return { text, column: start + 1 };
  }

  private readNumbers(text: string, column: number): readonly number[] {
    try {
      return parseCpulist(text);
    } catch (error) {
      if (!(error instanceof CpuSetSyntaxError)) throw error;
      throw this.errorAt(column, `expected numbers such as 0-3,8, got "${text}"`);
    }
  }

  /** `0-7-3` could mean two things to two readers. */
  private refuseUnclearMinus(minus: Token): void {
    const before = this.expression[minus.column - 2] ?? '';
    if (/\d/.test(before)) {
      throw this.errorAt(minus.column, 'a - right after a number reads as a range', [
        'Put spaces around the - that removes CPUs: "0-7 - 3".',
      ]);
    }
  }

  private expectClosing(): void {
    const token = this.take();
    if (token.text !== ')') throw this.unexpected(token, ')');
  }

  private take(): Token {
    const token = this.peek();
    this.position = token.column - 1 + token.text.length;
    return token;
  }

  private peek(): Token {
    TOKEN.lastIndex = this.position;
    const match = TOKEN.exec(this.expression);
    if (match?.groups) {
      const text = match.groups.number ?? match.groups.name ?? match.groups.symbol ?? '';
      const kind = match.groups.number === undefined ? (match.groups.name === undefined ? 'symbol' : 'name') : 'number';
      return { text, kind, column: match.index + match[0].length - text.length + 1 };
    }
    const rest = this.expression.slice(this.position);
    const column = this.position + (rest.length - rest.trimStart().length) + 1;
    if (rest.trim() === '') return { text: '', kind: 'end', column: this.expression.trimEnd().length + 1 };
    throw this.errorAt(column, `unexpected ${JSON.stringify(rest.trimStart()[0])}`, [GRAMMAR_HINT]);
  }

  private unexpected(token: Token, expected: string): CpuExpressionError {
    const got = token.kind === 'end' ? 'the end' : `"${token.text}"`;
    return this.errorAt(token.column, `expected ${expected}, got ${got}`, [GRAMMAR_HINT]);
  }

  private unknownName(name: string, column: number, called: boolean): CpuExpressionError {
    if (!called && isOneOf(PART_NAMES, name)) return this.errorAt(column, `${name} needs a number: ${name}(0)`);
    if (called && isOneOf(PLAIN_NAMES, name)) return this.errorAt(column, `${name} takes no argument`);
    const close = [...PLAIN_NAMES, ...PART_NAMES, ...SET_FUNCTIONS].find((known) => isNearly(name, known));
    const parts = PART_NAMES.map((part) => `${part}(N)`);
    const functions = SET_FUNCTIONS.map((set) => `${set}(SET)`);
    const known = `Known: ${[...PLAIN_NAMES, 'nic(NAME)', ...parts, ...functions].join(', ')}.`;
    return this.errorAt(
      column,
      `unknown name "${name}"`,
      close === undefined ? [known] : [`Did you mean "${close}"?`, known],
    );
  }

  private errorAt(column: number, problem: string, next: readonly string[] = []): CpuExpressionError {
    return new CpuExpressionError({ expression: this.expression, column }, problem, next);
  }
}

const GRAMMAR_HINT =
  'Write CPU numbers (0-3,8) or names (housekeeping, node(0), nic(eth1)), joined by + - & or a comma.';

function isOneOf<const Names extends readonly string[]>(names: Names, name: string): name is Names[number] {
  return names.includes(name);
}

/** The same letters but for case, a missing or added ending, or two swapped: enough to guess what was meant. */
function isNearly(name: string, known: string): boolean {
  const lower = name.toLowerCase();
  if (lower.length >= 3 && (known.startsWith(lower) || lower.startsWith(known))) return true;
  return lower === known || [...lower].sort().join('') === [...known].sort().join('');
}
