/** What views need to know about where their text goes. */
export interface Terminal {
  /** Characters per line that a view should keep to. */
  readonly columns: number;
  readonly color: boolean;
  /** The locale is not one of UTF-8: what draws with other characters than those of words draws with ASCII. */
  readonly ascii?: boolean;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Style = keyof typeof CODES;

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * Width: of the terminal, else COLUMNS, else 80. Colours: on a terminal, unless NO_COLOR or TERM=dumb; or FORCE_COLOR. Characters:
 * by the locale, in the order of setlocale(3).
 */
export function describeTerminal(output: Output, environment: Readonly<Record<string, string | undefined>>): Terminal {
  const given = Number.parseInt(environment.COLUMNS ?? '', 10);
  const columns = (output.isTTY && output.columns) || (given > 0 ? given : 80);
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  const color = !NO_COLOR && (FORCE_COLOR ? FORCE_COLOR !== '0' : output.isTTY === true && TERM !== 'dumb');
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || 'C';
  return { columns: Math.max(columns, 40), color, ascii: !/utf-?8/i.test(locale) };
}

export function paint(terminal: Terminal, style: Style, text: string): string {
  return terminal.color && text !== ''
    ? `\u001B[${CODES[style]}m${text}\u001B[${style === 'bold' || style === 'dim' ? 22 : 39}m`
    : text;
}

/** Breaks text at spaces to `columns`; lines after the first start with `indent` spaces. Long words stay whole. */
export function wrap(text: string, columns: number, indent = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line.trim() !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

/** Breaks text at spaces so that every line starts with `indent` spaces and keeps to the terminal. */
export function indented(text: string, terminal: Terminal, indent: number): string {
  const margin = ' '.repeat(indent);
  return `${margin}${wrap(text, terminal.columns - indent).replaceAll('\n', `\n${margin}`)}`;
}
