/** A value as inventories hold it. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/**
 * The value of a variable in an INI inventory. Ansible takes what Python's `ast.literal_eval` takes (numbers, quoted text, True, None,
 * lists, tuples, dicts, with a comment behind), and everything else as the text that it is. Whole numbers that no double holds stay text.
 */
export function parseValue(text: string): Value {
  const reader = new LiteralReader(text);
  try {
    return reader.readWhole();
  } catch (error) {
    if (error instanceof NoLiteral) return text;
    throw error;
  }
}

class NoLiteral extends Error {}

const NUMBER =
  /0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*)?\.?(?:\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?/y;
const WORDS: Readonly<Record<string, Value>> = { True: true, False: false, None: null };
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const DEEPEST = 32;

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text.replace(/^[ \t]+/, '');
  }

  /** `1, 2` without brackets is a tuple too. */
  readWhole(): Value {
    const first = this.#readValue();
    const items = [first];
    let isTuple = false;
    while (this.#takes(',')) {
      isTuple = true;
      if (this.#isAtEnd()) break;
      items.push(this.#readValue());
    }
    if (!this.#isAtEnd()) throw new NoLiteral();
    return isTuple ? items : first;
  }

  #isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at >= this.#text.length || this.#text[this.#at] === '#';
  }

  #skipSpace(): void {
    while (/[ \t\f]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #takes(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null || match[0] === '') return undefined;
    this.#at += match[0].length;
    return match;
  }

  #readValue(): Value {
    this.#skipSpace();
    const opening = this.#text[this.#at] ?? '';
    if (opening in CLOSING) return this.#readNested(opening);
    const text = this.#readTexts();
    if (text !== undefined) return text;
    const sign = this.#match(/[+-][ \t]*/y)?.[0][0];
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#toNumber(number[0]) * (sign === '-' ? -1 : 1);
    const word = sign === undefined ? this.#match(/[A-Za-z]+/y)?.[0] : undefined;
    if (word === undefined || !Object.hasOwn(WORDS, word) || /\w/.test(this.#text[this.#at] ?? ''))
      throw new NoLiteral();
    return WORDS[word] as Value;
  }

  /** `007` is no number for Python, and neither is `1a`. */
  #toNumber(text: string): number {
    const plain = text.replaceAll('_', '');
    if (/^0+[1-9]\d*$/.test(plain) || !/\d/.test(plain) || /[\w.]/.test(this.#text[this.#at] ?? ''))
      throw new NoLiteral();
    const number = Number(plain);
    const isWhole = !/[.]|^\d+[eE]/.test(plain);
    if (!Number.isFinite(number) || (isWhole && !Number.isSafeInteger(number))) throw new NoLiteral();
    return number;
  }

  #readNested(opening: string): Value {
    if (++this.#depth > DEEPEST) throw new NoLiteral();
    this.#at++;
    const closing = CLOSING[opening] as string;
    const value = opening === '{' ? this.#readBraces() : this.#readItems(closing);
    this.#depth--;
    return value;
  }

  /** `(5)` is five; `(5,)`, `()` and everything in square brackets is a list. */
  #readItems(closing: string): Value {
    const items: Value[] = [];
    let hasComma = false;
    while (!this.#takes(closing)) {
      items.push(this.#readValue());
      if (this.#takes(',')) {
        hasComma = true;
        continue;
      }
      if (this.#takes(closing)) break;
      throw new NoLiteral();
    }
    return closing === ')' && items.length === 1 && !hasComma ? (items[0] as Value) : items;
  }

  /** A dict, or a set, which is a list without the same thing twice. */
  #readBraces(): Value {
    const entries: [Value, Value | undefined][] = [];
    while (!this.#takes('}')) {
      const key = this.#readValue();
      entries.push([key, this.#takes(':') ? this.#readValue() : undefined]);
      if (this.#takes(',')) continue;
      if (this.#takes('}')) break;
      throw new NoLiteral();
    }
    const pairs = entries.filter((entry): entry is [Value, Value] => entry[1] !== undefined);
    if (pairs.length === 0 && entries.length > 0) return [...new Set(entries.map(([item]) => item))];
    if (pairs.length < entries.length || pairs.some(([key]) => typeof key === 'object' && key !== null))
      throw new NoLiteral();
    return Object.fromEntries(pairs.map(([key, value]) => [key === null ? 'null' : String(key), value]));
  }

  /** Texts one after the other are one. */
  #readTexts(): string | undefined {
    let whole: string | undefined;
    for (;;) {
      this.#skipSpace();
      const opening = this.#match(/(?<prefix>[rRuU]?)(?<quote>"""|'''|"|')/y)?.groups;
      if (opening === undefined) return whole;
      const { prefix = '', quote = '' } = opening;
      const raw = this.#readUntil(quote);
      whole = (whole ?? '') + (/r/i.test(prefix) ? raw : unescapeText(raw));
    }
  }

  #readUntil(quote: string): string {
    const start = this.#at;
    while (!this.#text.startsWith(quote, this.#at)) {
      if (this.#at >= this.#text.length) throw new NoLiteral();
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    }
    this.#at += quote.length;
    return this.#text.slice(start, this.#at - quote.length);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', "'": "'", '"': '"' },
};

/** What is no escape keeps its backslash. */
function unescapeText(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)/gs, (whole, code: string) => {
    if (/^[xuU]./.test(code)) return toCharacter(Number.parseInt(code.slice(1), 16));
    if (/^[xuU]$|^N/.test(code)) throw new NoLiteral();
    if (/^[0-7]/.test(code)) return toCharacter(Number.parseInt(code, 8));
    return ESCAPES[code] ?? whole;
  });
}

function toCharacter(code: number): string {
  if (code > 0x10ffff) throw new NoLiteral();
  return String.fromCodePoint(code);
}
