/**
 * GRUB's scripting language, as far as a grub.cfg needs it to be understood: commands, `if`, functions, menu entries.
 * https://www.gnu.org/software/grub/manual/grub/html_node/Shell_002dlike-scripting.html
 */

export type Statement =
  | { readonly kind: 'command'; readonly words: readonly Word[] }
  | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise: readonly Statement[] }
  | { readonly kind: 'menu'; readonly submenu: boolean; readonly words: readonly Word[]; readonly body: Block }
  | { readonly kind: 'function'; readonly name: string; readonly body: Block }
  /** while, until, for: nothing that decides what is booted. */
  | { readonly kind: 'loop' };

export interface Branch {
  readonly condition: readonly Statement[];
  readonly body: readonly Statement[];
}

export interface Block {
  readonly statements: readonly Statement[];
  /** The text between the braces. */
  readonly source: string;
}

/** One word: pieces that are taken literally, and names of variables. */
export type Word = readonly ({ readonly text: string } | { readonly variable: string })[];

/** Text that is no GRUB script (an `if` without its `fi`). */
export class GrubSyntaxError extends Error {}

interface Token {
  readonly kind: 'word' | 'end' | 'open' | 'close';
  readonly word: Word;
  /** The bare text when the word has no quotes and no variables: only such a word is a keyword. */
  readonly bare: string | undefined;
  readonly start: number;
  readonly after: number;
}

export function parseGrubScript(text: string): readonly Statement[] {
  const parser = new Parser(text, tokenize(text));
  const statements = parser.statements([]);
  parser.mustBeAtEnd();
  return statements;
}

class Parser {
  private position = 0;
  private readonly text: string;
  private readonly tokens: readonly Token[];

  constructor(text: string, tokens: readonly Token[]) {
    this.text = text;
    this.tokens = tokens;
  }

  /** Statements up to (not including) one of the closing keywords, `}` or the end. */
  statements(closing: readonly string[]): Statement[] {
    const found: Statement[] = [];
    for (;;) {
      while (this.peek()?.kind === 'end') this.position++;
      const token = this.peek();
      if (!token || token.kind === 'close') return found;
      if (token.bare !== undefined && closing.includes(token.bare)) return found;
      found.push(this.statement(token));
    }
  }

  mustBeAtEnd(): void {
    const token = this.peek();
    if (token) throw new GrubSyntaxError(`unexpected ${JSON.stringify(token.bare ?? '}')} at character ${token.start}`);
  }

  private statement(token: Token): Statement {
    switch (token.bare) {
      case 'if':
        return this.ifStatement();
      case 'function':
        return this.functionStatement();
      case 'menuentry':
      case 'submenu':
        return this.menuStatement(token.bare === 'submenu');
      case 'while':
      case 'until':
      case 'for':
        return this.loopStatement();
      default:
        return { kind: 'command', words: this.words() };
    }
  }

  private ifStatement(): Statement {
    const branches: Branch[] = [];
    do {
      this.position++;
      const condition = this.statements(['then']);
      this.expect('then');
      branches.push({ condition, body: this.statements(['elif', 'else', 'fi']) });
    } while (this.peek()?.bare === 'elif');
    let otherwise: readonly Statement[] = [];
    if (this.peek()?.bare === 'else') {
      this.position++;
      otherwise = this.statements(['fi']);
    }
    this.expect('fi');
    return { kind: 'if', branches, otherwise };
  }

  private functionStatement(): Statement {
    this.position++;
    const name = this.peek()?.bare ?? '';
    this.position++;
    return { kind: 'function', name, body: this.block() };
  }

  private menuStatement(submenu: boolean): Statement {
    this.position++;
    return { kind: 'menu', submenu, words: this.words(), body: this.block() };
  }

  private loopStatement(): Statement {
    this.position++;
    this.statements(['do']);
    this.expect('do');
    this.statements(['done']);
    this.expect('done');
    return { kind: 'loop' };
  }

  private block(): Block {
    while (this.peek()?.kind === 'end') this.position++;
    const open = this.peek();
    if (open?.kind !== 'open') throw new GrubSyntaxError(`expected { at character ${open?.start ?? this.text.length}`);
    this.position++;
    const statements = this.statements([]);
    const close = this.peek();
    if (close?.kind !== 'close') throw new GrubSyntaxError(`the { at character ${open.start} is never closed`);
    this.position++;
    return { statements, source: this.text.slice(open.after, close.start) };
  }

  private words(): Word[] {
    const words: Word[] = [];
    for (let token = this.peek(); token?.kind === 'word'; token = this.peek()) {
      words.push(token.word);
      this.position++;
    }
    return words;
  }

  private expect(keyword: string): void {
    const token = this.peek();
    if (token?.bare !== keyword) {
      throw new GrubSyntaxError(`expected ${keyword} at character ${token?.start ?? this.text.length}`);
    }
    this.position++;
  }

  private peek(): Token | undefined {
    return this.tokens[this.position];
  }
}

const TOKEN =
  /[ \t\r]+|\\\n|(?<comment>#[^\n]*)|(?<end>[\n;|&]+)|(?<word>(?:\\[^]|'[^']*'|"(?:\\[^]|[^"\\])*"|[^\s;|&'"\\])+)/gy;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new GrubSyntaxError(`a quote that is never closed at character ${at}`);
    const token = { start: at, after: TOKEN.lastIndex };
    if (match.groups?.end !== undefined) tokens.push({ kind: 'end', word: [], bare: undefined, ...token });
    else if (match.groups?.word !== undefined) tokens.push(wordToken(match.groups.word, token));
  }
  return tokens;
}

function wordToken(raw: string, place: { start: number; after: number }): Token {
  if (raw === '{') return { kind: 'open', word: [], bare: raw, ...place };
  if (raw === '}') return { kind: 'close', word: [], bare: raw, ...place };
  if (!/['"\\$]/.test(raw)) return { kind: 'word', word: [{ text: raw }], bare: raw, ...place };
  return { kind: 'word', word: parseWord(raw), bare: undefined, ...place };
}

const PIECE =
  /'(?<single>[^']*)'|"(?<double>(?:\\[^]|[^"\\])*)"|\\(?<escaped>[^])|\$\{(?<braced>[^}]*)\}|\$(?<plain>[A-Za-z0-9_]+|[?*@#])|(?<text>[^'"\\$]+|\$)/g;

function parseWord(raw: string): Word {
  const pieces: ({ text: string } | { variable: string })[] = [];
  for (const { groups = {} } of raw.matchAll(PIECE)) {
    const variable = groups.braced ?? groups.plain;
    if (variable !== undefined) pieces.push({ variable });
    else if (groups.double !== undefined) pieces.push(...parseDoubleQuoted(groups.double));
    else pieces.push({ text: groups.single ?? groups.escaped ?? groups.text ?? '' });
  }
  return pieces;
}

/** Inside double quotes single quotes are plain and a backslash stands before `"`, `\` and `$` only. */
function parseDoubleQuoted(inner: string): Word {
  const pieces: ({ text: string } | { variable: string })[] = [{ text: '' }];
  for (const { groups = {} } of inner.matchAll(
    /\\(?<escaped>["\\$])|\$\{(?<braced>[^}]*)\}|\$(?<plain>[A-Za-z0-9_]+)|(?<text>[^\\$]+|[\\$])/g,
  )) {
    const variable = groups.braced ?? groups.plain;
    pieces.push(variable !== undefined ? { variable } : { text: groups.escaped ?? groups.text ?? '' });
  }
  return pieces;
}
