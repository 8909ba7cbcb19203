/** A pattern that cannot be read; the message is the sentence. */
export class BadPattern extends Error {}

/** What Python's fnmatch makes of `*`, `?`, `[a-c]` and `[!a-c]`; the whole name must match. `~` begins a regular expression, which matches a beginning. */
export function compilePattern(pattern: string): RegExp {
  const source = pattern.startsWith('~') ? toJavaScript(pattern.slice(1)) : `^(?:${translateGlob(pattern)})$`;
  try {
    return new RegExp(source, 's');
  } catch {
    throw new BadPattern(`${pattern} is no pattern that can be read`);
  }
}

/** Python's spellings of what JavaScript has too. */
function toJavaScript(expression: string): string {
  const translated = expression
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replaceAll(/\\A/g, '^')
    .replaceAll(/\\Z/g, '$');
  return `^(?:${translated})`;
}

function translateGlob(pattern: string): string {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    const end = character === '[' ? endOfSet(pattern, at) : -1;
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (end > 0) {
      source += translateSet(pattern.slice(at + 1, end));
      at = end;
    } else source += character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  }
  return source;
}

/** A bracket right after the opening one (or after its `!`) is a member. */
function endOfSet(pattern: string, opening: number): number {
  const first = pattern[opening + 1] === '!' ? opening + 2 : opening + 1;
  return pattern.indexOf(']', first + 1);
}

function translateSet(set: string): string {
  const isNegated = set.startsWith('!');
  const members = (isNegated ? set.slice(1) : set).replace(/[\\[\]^]/g, '\\$&');
  return `[${isNegated ? '^' : ''}${members}]`;
}
