/** Where words cannot be told apart. */
export class OpenQuotation extends Error {}

/**
 * The words of a line as Python's `shlex.split(comments=True)` has them, which is how Ansible reads the line of a host: quotes and backslashes
 * as in a shell, and a `#` that is not quoted ends the line, in the middle of a word too. Throws OpenQuotation.
 */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string;
    if (character === '#') break;
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '"' || character === "'") {
      const quoted = readQuoted(line, at);
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else if (character === '\\') {
      at++;
      if (at >= line.length) throw new OpenQuotation('a backslash at the end of the line');
      word = (word ?? '') + line[at];
    } else {
      word = (word ?? '') + character;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** In double quotes a backslash stands before a quote or a backslash, and for itself elsewhere. */
function readQuoted(line: string, start: number): { readonly text: string; readonly end: number } {
  const quote = line[start] as string;
  let text = '';
  for (let at = start + 1; at < line.length; at++) {
    const character = line[at] as string;
    if (character === quote) return { text, end: at };
    const next = line[at + 1];
    if (quote === '"' && character === '\\' && (next === '"' || next === '\\')) {
      text += next;
      at++;
    } else {
      text += character;
    }
  }
  throw new OpenQuotation(`${quote} is not closed`);
}
