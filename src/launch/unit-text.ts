/** The text of unit files. systemd.syntax(7), systemd.service(5). */

/** One line of a section; undefined: it is left out. */
export type UnitLine = readonly [key: string, value: string | number | undefined] | { readonly comment: string };

export function writeUnit(head: string, sections: Readonly<Record<string, readonly UnitLine[]>>): string {
  const parts = Object.entries(sections).map(([name, lines]) => {
    const written = lines.flatMap((line) => {
      if ('comment' in line) return [`# ${line.comment}`];
      const [key, value] = line;
      return value === undefined || value === '' ? [] : [`${key}=${value}`];
    });
    return [`[${name}]`, ...written].join('\n');
  });
  return `# ${head}\n${parts.join('\n\n')}\n`;
}

/** One word of an Exec line as systemd takes it: neither variables nor specifiers are expanded in it. */
export function quoteArgument(text: string): string {
  return quote(text.replaceAll('$', '$$$$'));
}

/** One assignment of an Environment line, where `$` means nothing. */
export function quoteAssignment(name: string, value: string): string {
  return quote(`${name}=${value}`);
}

function quote(text: string): string {
  const escaped = text.replaceAll('%', '%%');
  if (/^[A-Za-z0-9_@%+=:,./$-]+$/.test(escaped)) return escaped;
  return `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\t', '\\t')}"`;
}
