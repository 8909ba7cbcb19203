/** A strict reader of a page: throws where it is not well-formed XML. A browser would mend what this refuses. */
export interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ReadPage {
  readonly tags: readonly Tag[];
  /** All text outside of style sheets, with a space between elements, references resolved. */
  readonly text: string;
}

export function readMarkup(page: string): ReadPage {
  const body = page.replace(/^<!DOCTYPE html>\n/, '');
  if (body === page) throw new Error('there is no doctype');
  const pattern =
    /<(?<slash>\/?)(?<name>[A-Za-z][\w:-]*)(?<attributes>(?:\s+[A-Za-z][\w:-]*="[^"<]*")*)\s*(?<empty>\/?)>/y;
  const open: string[] = [];
  const tags: Tag[] = [];
  const texts: string[] = [];
  for (let at = 0; at < body.length; ) {
    const next = body.indexOf('<', at);
    const until = next === -1 ? body.length : next;
    const text = body.slice(at, until);
    if (open.at(-1) !== 'style') texts.push(resolve(text));
    if (next === -1) break;
    pattern.lastIndex = next;
    const match = pattern.exec(body);
    if (!match?.groups) throw new Error(`no tag at ${next}: ${body.slice(next, next + 60)}`);
    const { slash, name = '', attributes = '', empty } = match.groups;
    if (slash === '/') {
      const expected = open.pop();
      if (expected !== name) throw new Error(`at ${next}: expected </${expected}>, got </${name}>`);
    } else {
      tags.push({ name, attributes: readAttributes(attributes) });
      if (empty !== '/') open.push(name);
    }
    at = pattern.lastIndex;
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  return {
    tags,
    text: texts
      .filter((text) => text.trim() !== '')
      .join(' ')
      .replaceAll(/ +/g, ' '),
  };
}

function readAttributes(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, key = '', value = ''] of text.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    if (key in found) throw new Error(`two attributes ${key}`);
    found[key] = resolve(value);
  }
  return found;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function resolve(text: string): string {
  return text.replaceAll(/&([^;&]*;?)/g, (_, reference: string) => {
    const known = NAMED[reference.replace(/;$/, '')];
    if (known === undefined || !reference.endsWith(';')) throw new Error(`no reference: &${reference}`);
    return known;
  });
}
